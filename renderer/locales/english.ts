import audit from './en/audit.json' with { type: 'json' }
import bench from './en/bench.json' with { type: 'json' }
import common from './en/common.json' with { type: 'json' }
import devices from './en/devices.json' with { type: 'json' }
import frame from './en/frame.json' with { type: 'json' }
import people from './en/people.json' with { type: 'json' }
import problems from './en/problems.json' with { type: 'json' }
import receive from './en/receive.json' with { type: 'json' }
import sample from './en/sample.json' with { type: 'json' }
import samples from './en/samples.json' with { type: 'json' }
import scan from './en/scan.json' with { type: 'json' }
import session from './en/session.json' with { type: 'json' }
import shipments from './en/shipments.json' with { type: 'json' }
import storage from './en/storage.json' with { type: 'json' }
import sync from './en/sync.json' with { type: 'json' }
import system from './en/system.json' with { type: 'json' }

/** One namespace per screen. A new screen is a file beside these and a line here. */
export const english = {
  audit,
  bench,
  common,
  devices,
  frame,
  people,
  problems,
  receive,
  sample,
  samples,
  scan,
  session,
  shipments,
  storage,
  sync,
  system,
} as const

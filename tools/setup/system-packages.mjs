// The system libraries Electron needs on Linux, and the browser that the tests need beside it. Debian and Ubuntu are served; elsewhere the list is printed.
import { capture, isOnPath } from '../processes.mjs'

// Alternatives in one entry: Debian 13 and Ubuntu 24.04 renamed some libraries when time_t grew to 64 bits.
const electronLibraries = [
  ['libgtk-3-0t64', 'libgtk-3-0'],
  ['libnss3'],
  ['libasound2t64', 'libasound2'],
  ['libgbm1'],
  ['libatk-bridge2.0-0t64', 'libatk-bridge2.0-0'],
  ['libdrm2'],
  ['libxkbcommon0'],
  ['libusb-1.0-0'],
  ['libudev1'],
  ['udev'],
]
const virtualDisplay = [['xvfb'], ['xauth']]
// The Hub's pages are tried in a real browser, over TLS with a certificate made on the spot.
const browser = [['chromium', 'chromium-browser'], ['openssl']]

/** Installs the system packages a purpose needs, or throws with the exact command to do so. */
export function ensureSystemPackages(purpose) {
  if (process.platform !== 'linux') return
  const wanted = packagesFor(purpose)
  if (!isOnPath('dpkg-query') || !isOnPath('apt-get')) {
    noteOtherDistribution(purpose)
    return
  }
  let missing = missingFrom(wanted)
  if (missing.length === 0) return

  const isRoot = process.getuid?.() === 0
  // A fresh container has no package lists at all, and then nothing seems to exist.
  if (isRoot && missing.some((names) => !installable(names))) aptGet(['update'])
  const names = missing.map((alternatives) => installable(alternatives) ?? alternatives.at(-1))
  if (!isRoot) {
    throw new Error(
      `Some system packages are missing. Install them with:\n\n` +
        `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}\n`,
    )
  }

  console.log(`setup: installing ${names.join(' ')}`)
  const install = ['install', '-y', '--no-install-recommends', ...names]
  // Lists that are older than the archive name files that are gone; new lists settle that.
  if (!aptGet(install)) aptGet(['update']) && aptGet(install)
  missing = missingFrom(wanted)
  if (missing.length > 0) {
    throw new Error(
      `These system packages could not be installed: ${names.join(' ')}. Try:\n\n` +
        `  apt-get update && apt-get install -y --no-install-recommends ${names.join(' ')}\n`,
    )
  }
}

function packagesFor(purpose) {
  if (purpose === 'test') return [...virtualDisplay, ...electronLibraries, ...browser]
  if (purpose === 'start') return hasDisplay() ? electronLibraries : [...virtualDisplay, ...electronLibraries]
  return []
}

/** Says whether windows can be shown on this machine as it is. */
export function hasDisplay() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

function missingFrom(wanted) {
  const all = wanted.flat()
  // dpkg-query fails when one name is unknown, but still lists the others.
  const { stdout } = capture('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...all])
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  )
  return wanted.filter((alternatives) => !alternatives.some((name) => installed.has(name)))
}

/** The first of the alternatives that apt-get could install now. */
function installable(alternatives) {
  return alternatives.find((name) => {
    const { stdout } = capture('apt-cache', ['policy', name], { env: { ...process.env, LC_ALL: 'C' } })
    return /^ {2}Candidate: (?!\(none\))/m.test(stdout)
  })
}

function aptGet(args) {
  const { status, stdout, stderr } = capture('apt-get', ['-q', ...args], {
    seconds: 600,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  })
  if (status !== 0) console.log(`setup: apt-get ${args[0]} failed\n${stdout}${stderr}`)
  return status === 0
}

function noteOtherDistribution(purpose) {
  if (packagesFor(purpose).length === 0) return
  if (!hasDisplay() && !isOnPath('xvfb-run')) {
    throw new Error(
      'There is no display, and no xvfb-run to stand in for one. Install Xvfb, and what these Debian packages ' +
        `hold:\n\n  ${packagesFor(purpose)
          .map((names) => names.at(-1))
          .join(' ')}\n`,
    )
  }
}

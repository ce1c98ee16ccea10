import type { Container } from '../../../services/storage/contract.ts'
import { readSession } from '../../session/session-store.ts'
import { takeInHand } from './placing.ts'
import { act, openBoxPage, showBoxNow } from './placing-acts.ts'
import { beginSitting, changePlacing, openDialog } from './placing-store.ts'

/**
 * Opens a box with this tube in hand and the question for a reason: the zone's rule refused the place, and who may
 * overrule it says why.
 */
export async function askToOverrule(
  tube: Container,
  { boxId, label }: { readonly boxId: string; readonly label: string },
  words: string,
): Promise<void> {
  const session = readSession()
  if (session.stage !== 'signed-in') return
  beginSitting(session.me.user.id)
  changePlacing((placing) => takeInHand({ ...placing, filling: false }, [tube], null))
  openBoxPage(boxId)
  await act(async () => {
    await showBoxNow(boxId, label)
    openDialog({ kind: 'override', boxId, label, words })
    return null
  })
}

/** The promises of src/bridge/storage.ts, as one suite for every driver. */
import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import { describeAccounts } from './contract-accounts.ts'
import { describeAppEvents } from './contract-app-events.ts'
import { describeContacts } from './contract-contacts.ts'
import { describeDeadLetters } from './contract-dead-letters.ts'
import { describeEvidence } from './contract-evidence.ts'
import { describeGateway } from './contract-gateway.ts'
import { describeGroups } from './contract-groups.ts'
import { describeHistory } from './contract-history.ts'
import { describeIdentity } from './contract-identity.ts'
import { describeInstalls } from './contract-installs.ts'
import { describeLeases } from './contract-leases.ts'
import { describeMessages } from './contract-messages.ts'
import { describeOutbox } from './contract-outbox.ts'
import { describeSettings } from './contract-settings.ts'
import { describeStats } from './contract-stats.ts'
import { describeViews } from './contract-views.ts'
import type { Subject } from './subject.ts'

export function describeContract(
  name: string,
  open: () => Promise<{ subject: Subject; close: () => Promise<void> }>,
): void {
  describe(name, () => {
    let opened: Awaited<ReturnType<typeof open>>
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened.close())
    // A claim takes any lane that is ready, so each test starts with none.
    beforeEach(() => opened.subject.run('delete from bridge.jobs; delete from bridge.lanes'))

    const subject = () => opened.subject
    describeMessages(subject)
    describeDeadLetters(subject)
    describeContacts(subject)
    describeOutbox(subject)
    describeAccounts(subject)
    describeInstalls(subject)
    describeAppEvents(subject)
    describeLeases(subject)
    describeEvidence(subject)
    describeGateway(subject)
    describeSettings(subject)
    describeGroups(subject)
    describeHistory(subject)
    describeIdentity(subject)
    describeStats(subject)
    describeViews(subject)
  })
}

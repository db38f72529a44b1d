/** WhatsApp and GHL deliver again whatever they are not sure about: 10,000 times, and nothing is there twice. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEmbedded } from '../../../src/store/pglite.ts'
import { type EmbeddedFolder, freshEmbeddedStore } from '../../support/embedded-store.ts'
import { silentLog } from '../../support/silent-log.ts'
import {
  agentMessage,
  envelope,
  freshPerson,
  freshPlace,
  partsOf,
  type Subject,
  subjectOf,
} from './subject.ts'

const MESSAGES = 20
const REDELIVERIES = 250

describe('10,000 redeliveries', () => {
  let folder: EmbeddedFolder
  let subject: Subject

  beforeAll(async () => {
    folder = await freshEmbeddedStore()
    subject = subjectOf('embedded', await openEmbedded(folder.dir, silentLog))
  })
  afterAll(async () => {
    await subject.store.close()
    await folder.remove()
  })

  /** Every message REDELIVERIES times, all messages side by side. @returns how often one was taken for new. */
  async function redeliver(accept: (index: number) => Promise<string>): Promise<number> {
    const deliveries = Array.from({ length: MESSAGES * REDELIVERIES }, (_, count) => accept(count % MESSAGES))
    return (await Promise.all(deliveries)).filter((outcome) => outcome === 'enqueued').length
  }

  const jobs = async (kind: string) =>
    (
      await subject.rows<{ count: number }>(
        `select count(*)::int as count from bridge.jobs where kind = '${kind}'`,
      )
    )[0]?.count

  it('of customers’ messages, in either form of the address, make one message each', async () => {
    const place = await freshPlace(subject)
    const { lid, pn } = freshPerson()
    const messages = Array.from({ length: MESSAGES }, () => envelope(place, lid, { chatAlt: pn }))
    let turn = 0
    const isNew = await redeliver((index) => {
      const message = messages[index] ?? envelope(place, lid)
      turn += 1
      const inPn = turn % 2 === 0 ? { chat: pn, chatAlt: lid, author: pn } : {}
      return subject.store.messages.acceptInbound({ ...message, ...inPn })
    })
    expect([isNew, await jobs('inbound')]).toEqual([MESSAGES, MESSAGES])
  }, 60_000)

  it('of agents’ messages make one message each', async () => {
    const place = await freshPlace(subject)
    const messages = Array.from({ length: MESSAGES }, () => agentMessage(place))
    const isNew = await redeliver((index) =>
      subject.store.messages.acceptOutbound(messages[index] ?? agentMessage(place), partsOf('hello')),
    )
    expect([isNew, await jobs('outbound')]).toEqual([MESSAGES, MESSAGES])
  }, 60_000)
})

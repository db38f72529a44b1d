import { describe, expect, it } from 'vitest'
import { parseGhlContactId, parseMessageId } from '../../../src/core/ids.ts'
import {
  agentMessage,
  envelope,
  freshPerson,
  freshPlace,
  ghlConversationId,
  ghlMessageId,
  LEASE_MS,
  messageIdOf,
  partsOf,
  type Subject,
  waId,
} from './subject.ts'

export function describeMessages(subject: () => Subject): void {
  const claimOne = async () => {
    const { jobs } = await subject().store.outbox.claim(1, LEASE_MS)
    const [job] = jobs
    if (job === undefined) throw new Error('nothing to claim')
    return job
  }

  describe('messages from WhatsApp', () => {
    it('gives back exactly what was accepted, dates and odd characters included', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      const sent = envelope(place, lid, {
        chatAlt: pn,
        content: { kind: 'text', text: 'ça\0 va? 🙂 \ud83d' },
      })
      expect(await store.messages.acceptInbound(sent)).toBe('enqueued')

      const work = await store.messages.findInboundWork(messageIdOf(await claimOne()))
      expect(work?.envelope).toEqual(sent)
      expect(work?.row).toMatchObject({
        ...place,
        direction: 'inbound',
        kind: 'text',
        state: 'queued',
        chat: lid,
      })
      expect(work?.contact).toMatchObject({ lid, pn, chat: lid, lastSessionId: place.sessionId })
    })

    it('takes a push name with characters that the database refuses', async () => {
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      await subject().store.messages.acceptInbound(envelope(place, lid, { pushName: 'A\0na \ud83d' }))
      const work = await subject().store.messages.findInboundWork(messageIdOf(await claimOne()))
      expect(work?.contact.pushName).toBe('Ana \ufffd')
    })

    it('accepts a message once, also when its repeat comes under the other form of the address', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      const first = envelope(place, lid, { chatAlt: pn })
      expect(await store.messages.acceptInbound(first)).toBe('enqueued')
      expect(await store.messages.acceptInbound(first)).toBe('duplicate')
      expect(await store.messages.acceptInbound({ ...first, chat: pn, author: pn })).toBe('duplicate')
      expect((await store.outbox.depth()).waiting).toBe(1)
    })

    it('accepts a message once when two callers race', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      const first = envelope(place, lid, { chatAlt: pn })
      const second = { ...first, chat: pn, chatAlt: lid, author: pn }
      const outcomes = await Promise.all(
        [first, second, first, second].map((each) => store.messages.acceptInbound(each)),
      )
      expect(outcomes.sort()).toEqual(['duplicate', 'duplicate', 'duplicate', 'enqueued'])
    })

    it('keeps apart the same WhatsApp id from two people, and from us and the customer', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const one = freshPerson()
      const waMessageId = waId()
      const accept = (chat: typeof one.lid, fromMe = false) =>
        store.messages.acceptInbound(envelope(place, chat, { waMessageId, fromMe }))
      expect(await accept(one.lid)).toBe('enqueued')
      expect(await accept(freshPerson().lid)).toBe('enqueued')
      expect(await accept(one.lid, true)).toBe('enqueued')
    })

    it('files what was typed on the phone as outbound and leaves the number written to alone', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      await store.messages.acceptInbound(envelope(place, lid, { fromMe: true, pushName: 'Our shop' }))
      const work = await store.messages.findInboundWork(messageIdOf(await claimOne()))
      expect(work?.row.direction).toBe('outbound')
      expect(work?.contact.pushName).toBeUndefined()
      expect(work?.contact.lastSessionId).toBeUndefined()
    })

    it('parts a caption from its file once: the words keep place, id and quote, the file goes to the end', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const url = 'https://files.example/a.jpg'
      const file = { kind: 'attachment', url, caption: 'see', replyTo: 'WAQ' } as const
      const [behind] = partsOf('behind it')
      if (behind === undefined) throw new Error('one part')
      await store.messages.acceptOutbound(agentMessage(place), [{ part: file, waMessageId: waId() }, behind])
      const job = await claimOne()
      const id = messageIdOf(job)
      const before = await store.messages.findOutboundWork(id)
      const fileId = waId()
      await store.messages.splitCaption(id, fileId)
      await store.messages.splitCaption(id, waId())

      const words = await store.messages.findOutboundWork(id)
      expect(words?.part).toEqual({ kind: 'text', text: 'see', replyTo: 'WAQ' })
      expect(words?.row).toMatchObject({ kind: 'text', waMessageId: before?.row.waMessageId })
      const second = await store.outbox.complete(job, LEASE_MS)
      const third = second && (await store.outbox.complete(second, LEASE_MS))
      const last = third && (await store.messages.findOutboundWork(messageIdOf(third)))
      expect(last).toMatchObject({ part: { kind: 'attachment', url }, phone: before?.phone })
      expect(last?.part).not.toHaveProperty('caption')
      expect(last?.row).toMatchObject({ waMessageId: fileId, ghlMessageId: before?.row.ghlMessageId })
      expect(third && (await store.outbox.complete(third, LEASE_MS))).toBeUndefined()
    })

    it('finds what is quoted, whoever wrote it, and never in another chat', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      const ghlContactId = parseGhlContactId(`gc-${waId()}`)
      await store.contacts.settle(place.locationId, { chat: lid, alt: pn, ghlContactId })
      const asked = envelope(place, lid, { content: { kind: 'text', text: 'how much?' } })
      await store.messages.acceptInbound(asked)
      const [sent, answer] = partsOf('ten', 'twelve')
      if (sent === undefined || answer === undefined) throw new Error('two parts')
      await store.messages.acceptOutbound(agentMessage(place, { ghlContactId }), [sent, answer])
      const { messages } = await store.messages.list({ locationId: place.locationId, limit: 10 })
      const rowOf = (id: string) => messages.find(({ waMessageId }) => waMessageId === id)?.id
      const sentRow = rowOf(sent.waMessageId)
      const answerRow = rowOf(answer.waMessageId)
      if (sentRow === undefined || answerRow === undefined) throw new Error('both are listed')
      const { sessionId } = place
      expect(await store.messages.findQuoted(answerRow, sent.waMessageId)).toBeUndefined()
      await store.messages.reserve(sentRow, { sessionId, chat: lid, composed: Buffer.from('bytes') })

      expect(await store.messages.findQuoted(answerRow, asked.waMessageId)).toEqual({
        sessionId,
        quote: { waMessageId: asked.waMessageId, author: lid, original: { content: asked.content } },
      })
      expect(await store.messages.findQuoted(answerRow, sent.waMessageId)).toEqual({
        sessionId,
        quote: {
          waMessageId: sent.waMessageId,
          author: undefined,
          original: { composed: Buffer.from('bytes') },
        },
      })
      const stranger = envelope(place, freshPerson().lid)
      await store.messages.acceptInbound(stranger)
      expect(await store.messages.findQuoted(answerRow, stranger.waMessageId)).toBeUndefined()
      expect(await store.messages.findQuoted(answerRow, 'NOBODY')).toBeUndefined()
    })

    it('recognises the echo of what it sends itself', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      const [part] = partsOf('from the agent')
      if (part === undefined) throw new Error('one part')
      await store.messages.acceptOutbound(agentMessage(place), [part])
      const job = await claimOne()
      await store.messages.reserve(messageIdOf(job), {
        sessionId: place.sessionId,
        chat: lid,
        composed: Buffer.from('bytes'),
      })
      const { waMessageId } = part
      expect(await store.messages.isOurs(place.sessionId, waMessageId)).toBe(true)
      const echo = envelope(place, lid, { waMessageId, fromMe: true })
      expect(await store.messages.acceptInbound(echo)).toBe('duplicate')
    })

    it('remembers where a message was filed', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      await store.messages.acceptInbound(envelope(place, freshPerson().lid))
      const id = messageIdOf(await claimOne())
      const filed = { ghlMessageId: ghlMessageId(), ghlConversationId: ghlConversationId() }
      await store.messages.recordFiled(id, filed)
      const row = (await store.messages.findInboundWork(id))?.row
      expect(row).toMatchObject({ ghlMessageId: filed.ghlMessageId, state: 'delivered', attempts: 1 })
    })
  })

  describe('messages from GHL', () => {
    it('accepts an agent message once, in parts, in order', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const message = agentMessage(place)
      const parts = partsOf('one', 'two', 'three')
      expect(await store.messages.acceptOutbound(message, parts)).toBe('enqueued')
      expect(await store.messages.acceptOutbound(message, partsOf('one', 'two', 'three'))).toBe('duplicate')

      const texts: string[] = []
      let job: Awaited<ReturnType<typeof store.outbox.complete>> = await claimOne()
      while (job !== undefined) {
        const work = await store.messages.findOutboundWork(messageIdOf(job))
        if (work?.part.kind !== 'text') throw new Error('a text')
        expect(work.row.waMessageId).toBe(parts[texts.length]?.waMessageId)
        expect(work.phone).toBe(message.phone)
        texts.push(work.part.text)
        job = await store.outbox.complete(job, LEASE_MS)
      }
      expect(texts).toEqual(['one', 'two', 'three'])
    })

    it('accepts an agent message once when two deliveries race', async () => {
      const { store } = subject()
      const message = agentMessage(await freshPlace(subject()))
      const outcomes = await Promise.all(
        [1, 2, 3].map(() => store.messages.acceptOutbound(message, partsOf('a', 'b'))),
      )
      expect(outcomes.sort()).toEqual(['duplicate', 'duplicate', 'enqueued'])
      expect((await store.outbox.depth()).waiting).toBe(2)
    })

    it('does not take for an agent message what it filed in GHL itself', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      await store.messages.acceptInbound(envelope(place, freshPerson().lid, { fromMe: true }))
      const filed = { ghlMessageId: ghlMessageId(), ghlConversationId: ghlConversationId() }
      await store.messages.recordFiled(messageIdOf(await claimOne()), filed)
      const back = agentMessage(place, { ghlMessageId: filed.ghlMessageId })
      expect(await store.messages.acceptOutbound(back, partsOf('echo'))).toBe('duplicate')
    })

    it('leaves nothing behind when a part cannot be stored', async () => {
      const place = await freshPlace(subject())
      const message = agentMessage(place)
      const half = subject().database.call('accept_outbound', {
        locationId: place.locationId,
        ghlMessageId: message.ghlMessageId,
        ghlContactId: message.ghlContactId,
        parts: [
          { id: `m-${waId()}`, partNo: 0, kind: 'text', waMessageId: waId(), content: 'x' },
          { id: `m-${waId()}`, partNo: 1, kind: 'text', waMessageId: waId() },
        ],
      })
      await expect(half).rejects.toMatchObject({ code: 'STORE_REJECTED', certainty: 'not_sent' })
      const { messages } = await subject().store.messages.list({ locationId: place.locationId, limit: 10 })
      expect(messages).toEqual([])
      expect(await subject().store.outbox.depth()).toEqual({ waiting: 0, parked: 0, dead: 0 })
    })

    it('keeps the composed bytes under the WhatsApp id', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const parts = partsOf('x')
      await store.messages.acceptOutbound(agentMessage(place), parts)
      const id = messageIdOf(await claimOne())
      const composed = Buffer.from([0, 1, 2, 255, 0])
      const { lid } = freshPerson()
      await store.messages.reserve(id, { sessionId: place.sessionId, chat: lid, composed })
      const work = await store.messages.findOutboundWork(id)
      expect(work?.composed).toEqual(composed)
      expect(work?.row).toMatchObject({ sessionId: place.sessionId, chat: lid, state: 'sending' })
      const [part] = parts
      if (part === undefined) throw new Error('one part')
      expect(await store.messages.findComposed(place.sessionId, part.waMessageId)).toEqual(composed)
      expect(await store.messages.findComposed(place.sessionId, waId())).toBeUndefined()
    })
  })

  describe('receipts', () => {
    /** An agent message of two parts that are both on the wire. */
    async function sentInTwoParts() {
      const { store } = subject()
      const place = await freshPlace(subject())
      const message = agentMessage(place)
      const parts = partsOf('a', 'b')
      await store.messages.acceptOutbound(message, parts)
      let job: Awaited<ReturnType<typeof store.outbox.complete>> = await claimOne()
      while (job !== undefined) {
        await store.messages.reserve(messageIdOf(job), {
          sessionId: place.sessionId,
          chat: freshPerson().lid,
          composed: Buffer.from('x'),
        })
        job = await store.outbox.complete(job, LEASE_MS)
      }
      const [first, second] = parts.map((part) => part.waMessageId)
      if (!first || !second) throw new Error('two parts')
      return { place, message, first, second }
    }

    it('moves forward, never back, and ignores ids it does not know', async () => {
      const { messages } = subject().store
      const { place, first } = await sentInTwoParts()
      expect(await messages.advance(place.sessionId, [first, waId()], 'delivered')).toBe(1)
      expect(await messages.advance(place.sessionId, [first], 'sent')).toBe(0)
      expect(await messages.advance(place.sessionId, [first], 'delivered')).toBe(0)
      expect(await messages.advance(place.sessionId, [first], 'read')).toBe(1)
      expect(await messages.advance(place.sessionId, [], 'read')).toBe(0)
    })

    it('tells GHL the furthest state that all parts have reached', async () => {
      const { messages } = subject().store
      const { place, message, first, second } = await sentInTwoParts()
      const status = () => messages.findGhlStatus(place.locationId, message.ghlMessageId)
      expect(await status()).toEqual({ status: 'pending' })
      await messages.advance(place.sessionId, [first], 'read')
      expect(await status()).toEqual({ status: 'pending' })
      await messages.advance(place.sessionId, [second], 'delivered')
      expect(await status()).toEqual({ status: 'delivered' })
      await messages.advance(place.sessionId, [second], 'read')
      expect(await status()).toEqual({ status: 'read' })
      expect(await messages.findGhlStatus(place.locationId, ghlMessageId())).toBeUndefined()
    })

    it('lets a failed part decide, for good', async () => {
      const { messages, outbox } = subject().store
      const place = await freshPlace(subject())
      const message = agentMessage(place)
      const parts = partsOf('a', 'b')
      await messages.acceptOutbound(message, parts)
      const job = await claimOne()
      const reserved = {
        sessionId: place.sessionId,
        chat: freshPerson().lid,
        composed: Buffer.from('x'),
      }
      await messages.reserve(messageIdOf(job), reserved)
      const error = { code: 'WA_SEND_REJECTED', message: 'refused', action: 'Do this.' }
      await messages.giveUp(job, { ...error, mayHaveHappened: false })
      const second = (await outbox.claim(9, LEASE_MS)).jobs.find(({ kind }) => kind === 'outbound')
      if (second === undefined) throw new Error('the second part waits for the first no more')
      await messages.reserve(messageIdOf(second), reserved)
      const ids = parts.map((part) => part.waMessageId)
      expect(await messages.advance(place.sessionId, ids, 'read')).toBe(1)
      const status = await messages.findGhlStatus(place.locationId, message.ghlMessageId)
      expect(status).toEqual({ status: 'failed', error })
      expect((await messages.findOutboundWork(messageIdOf(job)))?.row).toMatchObject({
        state: 'failed',
        error,
      })
    })

    it('does not fail a message that a receipt has proved delivered', async () => {
      const { messages, outbox } = subject().store
      const place = await freshPlace(subject())
      const message = agentMessage(place)
      const [part] = partsOf('a')
      if (part === undefined) throw new Error('one part')
      await messages.acceptOutbound(message, [part])
      const job = await claimOne()
      await messages.reserve(messageIdOf(job), {
        sessionId: place.sessionId,
        chat: freshPerson().lid,
        composed: Buffer.from('x'),
      })
      await messages.advance(place.sessionId, [part.waMessageId], 'delivered')
      await messages.giveUp(job, { code: 'WA_SEND_TIMEOUT', message: 'late', mayHaveHappened: true })
      const status = await messages.findGhlStatus(place.locationId, message.ghlMessageId)
      expect(status).toEqual({ status: 'delivered' })
      expect((await outbox.depth()).dead).toBe(0)
    })

    it('owes GHL one status call for several receipts, and another for one that comes while it is made', async () => {
      const { messages, outbox } = subject().store
      const { place, message, first, second } = await sentInTwoParts()
      await messages.advance(place.sessionId, [first, second], 'sent')
      await messages.advance(place.sessionId, [first, second], 'delivered')
      expect((await outbox.depth()).waiting).toBe(1)
      const job = await claimOne()
      expect(job).toMatchObject({
        kind: 'ghl_status',
        subject: `${place.locationId}/${message.ghlMessageId}`,
      })
      await messages.advance(place.sessionId, [first], 'read')
      await messages.advance(place.sessionId, [second], 'read')
      expect((await outbox.depth()).waiting).toBe(2)
      const next = await outbox.complete(job, LEASE_MS)
      expect(next?.kind).toBe('ghl_status')
    })

    it('does not report to GHL what was typed on the phone', async () => {
      const { messages, outbox } = subject().store
      const place = await freshPlace(subject())
      const typed = envelope(place, freshPerson().lid, { fromMe: true })
      await messages.acceptInbound(typed)
      await messages.recordFiled(messageIdOf(await claimOne()), {
        ghlMessageId: ghlMessageId(),
        ghlConversationId: ghlConversationId(),
      })
      expect(await messages.advance(place.sessionId, [typed.waMessageId], 'read')).toBe(1)
      expect((await outbox.depth()).waiting).toBe(1) // the filing itself
    })
  })

  describe('the message that another one is about', () => {
    it('is found by WhatsApp id within its chat, under either form of the address', async () => {
      const { messages } = subject().store
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      const poll = { kind: 'poll', question: 'Pizza?', options: ['Yes', 'No'] } as const
      const sent = envelope(place, lid, { chatAlt: pn, content: poll, secret: 'c2VjcmV0' })
      await messages.acceptInbound(sent)
      for (const chat of [lid, pn]) {
        const found = await messages.findOriginal({ ...place, chat, waMessageId: sent.waMessageId })
        expect(found).toEqual({
          origin: 'customer',
          content: poll,
          pushName: 'Ana',
          author: lid,
          secret: 'c2VjcmV0',
          composed: undefined,
        })
      }
    })

    it('is not found from another chat, number or id', async () => {
      const { messages } = subject().store
      const place = await freshPlace(subject())
      const { sessionId } = await freshPlace(subject())
      const { lid: chat } = freshPerson()
      const { waMessageId } = envelope(place, chat)
      await messages.acceptInbound(envelope(place, chat, { waMessageId }))
      const reference = { ...place, chat, waMessageId }
      expect(await messages.findOriginal(reference)).toBeDefined()
      expect(await messages.findOriginal({ ...reference, chat: freshPerson().lid })).toBeUndefined()
      expect(await messages.findOriginal({ ...reference, sessionId })).toBeUndefined()
      expect(await messages.findOriginal({ ...reference, waMessageId: waId() })).toBeUndefined()
    })

    it('may be one that we sent: it comes with its protobuf', async () => {
      const { messages } = subject().store
      const place = await freshPlace(subject())
      const { lid: chat } = freshPerson()
      const parts = partsOf('hi there')
      await messages.acceptOutbound(agentMessage(place), parts)
      const composed = new Uint8Array([1, 2, 3])
      const { sessionId } = place
      await messages.reserve(messageIdOf(await claimOne()), { sessionId, chat, composed })
      const waMessageId = parts[0]?.waMessageId ?? waId()
      const found = await messages.findOriginal({ ...place, chat, waMessageId })
      expect(found).toMatchObject({ origin: 'ghl', content: { kind: 'text', text: 'hi there' } })
      expect([...(found?.composed ?? [])]).toEqual([1, 2, 3])
    })
  })

  describe('a placeholder', () => {
    const placeholder = (place: Awaited<ReturnType<typeof freshPlace>>) =>
      envelope(place, freshPerson().lid, { content: { kind: 'placeholder', of: waId() } })

    it('can be dropped until GHL has it', async () => {
      const { messages } = subject().store
      await messages.acceptInbound(placeholder(await freshPlace(subject())))
      const id = messageIdOf(await claimOne())
      expect(await messages.dropPlaceholder(id)).toBe(true)
      expect(await messages.findInboundWork(id)).toBeUndefined()
      expect(await messages.dropPlaceholder(id)).toBe(false)
    })

    it('stays when GHL has it; and no other message can be dropped', async () => {
      const { messages } = subject().store
      const place = await freshPlace(subject())
      await messages.acceptInbound(placeholder(place))
      const filed = messageIdOf(await claimOne())
      const ids = { ghlMessageId: ghlMessageId(), ghlConversationId: ghlConversationId() }
      await messages.recordFiled(filed, ids)
      expect(await messages.dropPlaceholder(filed)).toBe(false)
      await messages.acceptInbound(envelope(place, freshPerson().lid))
      const other = messageIdOf(await claimOne())
      expect(await messages.dropPlaceholder(other)).toBe(false)
      expect(await messages.findInboundWork(other)).toBeDefined()
    })
  })

  describe('the list of messages', () => {
    it('comes newest first, page by page, each message once', async () => {
      const { messages } = subject().store
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      const sent = Array.from({ length: 7 }, () => envelope(place, lid))
      for (const each of sent) await messages.acceptInbound(each)
      const seen: (string | undefined)[] = []
      let cursor: string | undefined
      do {
        const page = await messages.list({
          locationId: place.locationId,
          limit: 3,
          ...(cursor !== undefined && { cursor }),
        })
        seen.push(...page.messages.map((row) => row.waMessageId))
        cursor = page.nextCursor
      } while (cursor !== undefined)
      expect(seen).toEqual(sent.map((each) => each.waMessageId).reverse())
    })

    it('can be narrowed by state and session', async () => {
      const { messages } = subject().store
      const place = await freshPlace(subject())
      const other = await freshPlace(subject())
      await messages.acceptInbound(envelope(place, freshPerson().lid))
      await messages.acceptInbound(envelope(other, freshPerson().lid))
      const { sessionId } = place
      expect((await messages.list({ sessionId, limit: 10 })).messages).toHaveLength(1)
      expect((await messages.list({ sessionId, state: 'failed', limit: 10 })).messages).toEqual([])
      const refused = { code: 'GHL_REJECTED', message: 'no', mayHaveHappened: false }
      await messages.giveUp(await claimOne(), refused)
      const failed = await messages.list({ state: 'failed', locationId: place.locationId, limit: 10 })
      expect(failed.messages.map((row) => row.error?.code)).toEqual(['GHL_REJECTED'])
    })

    it('refuses a cursor that it has not given', async () => {
      const listed = subject().store.messages.list({ limit: 5, cursor: "1' or true" })
      await expect(listed).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    })
  })

  it('knows nothing of messages it never saw', async () => {
    const { messages } = subject().store
    const id = parseMessageId('unknown')
    expect(await messages.findInboundWork(id)).toBeUndefined()
    expect(await messages.findOutboundWork(id)).toBeUndefined()
    expect(await messages.findNoteWork(id)).toBeUndefined()
    expect(await messages.retryByHand(id)).toBeUndefined()
    expect(await messages.discardByHand(id, { code: 'DISCARDED', message: 'x' })).toBeUndefined()
  })
}

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PendingSends } from '../../../src/whatsapp/sends.ts'

const ack = (id: string, error?: string) => ({
  tag: 'ack',
  attrs: { id, class: 'message', ...(error !== undefined && { error }) },
})
const relayed = () => Promise.resolve('id')

describe('a send', () => {
  let sends: PendingSends

  beforeEach(() => {
    vi.useFakeTimers()
    sends = new PendingSends()
  })
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  it('resolves with the ack of its own id, not with the relay, not with another’s', async () => {
    let isDone = false
    const sending = sends.send('A1', relayed).then(() => {
      isDone = true
    })
    sends.settle(ack('A2'))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(isDone).toBe(false)
    sends.settle(ack('A1'))
    await sending
  })

  it.each([
    ['463', 'WA_REACHOUT_LOCKED', 'park'],
    ['479', 'WA_DEVICES_STALE', 'retry'],
    ['421', 'WA_SEND_REJECTED', 'dead'],
  ])('ack error %s is %s: %s, certainly not sent, with the code', async (error, code, disposition) => {
    const sending = sends.send('A1', relayed)
    sends.settle(ack('A1', error))
    await expect(sending).rejects.toMatchObject({
      code,
      disposition,
      certainty: 'not_sent',
      details: { ackError: error },
    })
  })

  it('is unknown when no ack comes in 20 s', async () => {
    const sending = expect(sends.send('A1', relayed)).rejects.toMatchObject({
      code: 'WA_SEND_TIMEOUT',
      certainty: 'unknown',
    })
    await vi.advanceTimersByTimeAsync(19_999)
    sends.settle(ack('somebody else'))
    await vi.advanceTimersByTimeAsync(1)
    await sending
  })

  it('is unknown when the relay fails: the stanza may be out', async () => {
    const cause = new Error('Connection Closed')
    await expect(sends.send('A1', () => Promise.reject(cause))).rejects.toMatchObject({
      code: 'WA_SEND_TIMEOUT',
      certainty: 'unknown',
      cause,
    })
  })

  it('is unknown when the connection ends under it, and later ones are certainly not sent', async () => {
    const both = [sends.send('A1', relayed), sends.send('A2', relayed)].map((sending) =>
      expect(sending).rejects.toMatchObject({ code: 'WA_SEND_TIMEOUT', certainty: 'unknown' }),
    )
    sends.abandon()
    await Promise.all(both)
    const relay = vi.fn(relayed)
    await expect(sends.send('A3', relay)).rejects.toMatchObject({ code: 'WA_OFFLINE', certainty: 'not_sent' })
    expect(relay).not.toHaveBeenCalled()
  })

  it('can be repeated under the same id after its time was over', async () => {
    const first = expect(sends.send('A1', relayed)).rejects.toMatchObject({ code: 'WA_SEND_TIMEOUT' })
    await vi.advanceTimersByTimeAsync(20_000)
    await first
    const second = sends.send('A1', relayed)
    sends.settle(ack('A1'))
    await second
  })

  it('ignores an ack that nobody waits for', () => {
    expect(() => {
      sends.settle(ack('A1', '479'))
      sends.settle({ tag: 'ack', attrs: {} })
    }).not.toThrow()
  })
})

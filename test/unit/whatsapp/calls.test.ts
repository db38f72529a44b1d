import type { BinaryNode } from '@whiskeysockets/baileys'
import { describe, expect, it } from 'vitest'
import { readable } from '../../../src/bridge/readable.ts'
import { Calls, callEnvelope } from '../../../src/whatsapp/calls.ts'
import { ANA_LID, ANA_PN, ME, RECEIVER } from './converting.ts'

const sign = (tag: string, attrs: Record<string, string> = {}, from = '98765:0@lid'): BinaryNode => ({
  tag: 'call',
  attrs: { from, id: 'S1', t: '1700000000' },
  content: [{ tag, attrs: { 'call-id': 'C1', 'call-creator': '98765:0@lid', ...attrs } }],
})
const offer = (attrs: Record<string, string> = {}, content?: BinaryNode[]): BinaryNode => ({
  tag: 'call',
  attrs: { from: '98765:0@lid', id: 'S0', t: '1700000000' },
  content: [
    {
      tag: 'offer',
      attrs: { 'call-id': 'C1', 'call-creator': '98765:0@lid', ...attrs },
      ...(content && { content }),
    },
  ],
})

function told(...stanzas: BinaryNode[]): string[] {
  const calls = new Calls()
  return stanzas.flatMap((stanza) => {
    const call = calls.take(stanza)
    if (call === undefined) return []
    const converted = callEnvelope(RECEIVER, call, ME)
    return 'ignored' in converted ? [converted.ignored] : [readable(converted.envelope)]
  })
}

describe('a call', () => {
  it('is told when it is over, not while it rings', () => {
    expect(told(offer(), sign('preaccept'), sign('relaylatency'), sign('transport'))).toEqual([])
  })

  it.each([
    ['the caller hung up', [offer(), sign('terminate')], '[Missed voice call]'],
    ['nobody answered', [offer(), sign('terminate', { reason: 'timeout' })], '[Missed voice call]'],
    ['video', [offer({}, [{ tag: 'video', attrs: {} }]), sign('terminate')], '[Missed video call]'],
    [
      'answered on the phone',
      [offer(), sign('terminate', { reason: 'accepted_elsewhere' })],
      '[Voice call, answered on the phone]',
    ],
    [
      'declined on the phone',
      [offer(), sign('terminate', { reason: 'rejected_elsewhere' })],
      '[Voice call, declined on the phone]',
    ],
    ['its beginning was not heard', [sign('terminate')], '[Missed call]'],
    ['in a group', [offer({ 'group-jid': '1@g.us' }), sign('terminate')], 'group'],
  ])('%s', (_what, stanzas, text) => {
    expect(told(...stanzas)).toEqual([text])
  })

  it('has one id, whatever ends it and however often: it is recorded once', () => {
    const calls = new Calls()
    const ends = [offer(), sign('accept'), sign('terminate'), sign('terminate', { reason: 'timeout' })]
    const envelopes = ends.flatMap((stanza) => {
      const call = calls.take(stanza)
      return call === undefined ? [] : [callEnvelope(RECEIVER, call, ME)]
    })
    expect(envelopes).toHaveLength(3)
    for (const converted of envelopes)
      expect(converted).toMatchObject({ envelope: { waMessageId: 'call-C1', chat: ANA_LID, fromMe: false } })
  })

  it('knows the caller’s number when the call tells it', () => {
    const calls = new Calls()
    calls.take(offer({ caller_pn: ANA_PN }))
    const call = calls.take(sign('terminate'))
    if (call === undefined) throw new Error('the call did not end')
    expect(callEnvelope(RECEIVER, call, ME)).toMatchObject({ envelope: { chatAlt: ANA_PN, author: ANA_LID } })
  })

  it('that the business made itself stands as its own', () => {
    expect(told(sign('terminate', { 'call-creator': ME.lid, reason: 'timeout' }))).toEqual([
      '[Call from the phone, not answered]',
    ])
  })

  it.each([
    ['nothing in it', { tag: 'call', attrs: { from: ANA_LID } }],
    ['no id', { tag: 'call', attrs: { from: ANA_LID }, content: [{ tag: 'terminate', attrs: {} }] }],
    ['bytes in it', { tag: 'call', attrs: {}, content: new Uint8Array([1]) }],
  ])('with %s is none', (_what, stanza: BinaryNode) => {
    expect(told(stanza)).toEqual([])
  })
})

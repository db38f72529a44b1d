import { describe, expect, it } from 'vitest'
import {
  findChatJid,
  maskPhone,
  parseChatJid,
  parseLocationId,
  phoneOfPn,
  pnOfPhone,
} from '../../src/core/ids.ts'

describe('addresses', () => {
  it.each([
    ['15551230001@s.whatsapp.net', '15551230001@s.whatsapp.net'],
    ['15551230001:12@s.whatsapp.net', '15551230001@s.whatsapp.net'],
    ['15551230001_1:12@s.whatsapp.net', '15551230001@s.whatsapp.net'],
    ['15551230001@c.us', '15551230001@s.whatsapp.net'],
    ['98765432109876:3@lid', '98765432109876@lid'],
    ['120363041234567890@g.us', '120363041234567890@g.us'],
    ['15551230001-1612345678@g.us', '15551230001-1612345678@g.us'],
  ])('%s is the chat %s: no device, no agent part', (given, chat) => {
    expect(findChatJid(given)).toBe(chat)
  })

  it.each(['status@broadcast', '1203@newsletter', '', 'x', null, undefined])('%s is no chat', (given) => {
    expect(findChatJid(given)).toBeUndefined()
  })

  it('refuses what is no chat with a code, without repeating the address', () => {
    expect(() => parseChatJid('status@broadcast')).toThrow(
      expect.objectContaining({ code: 'WA_CHAT_UNSUPPORTED' }),
    )
  })

  it('converts between numbers and phone-number JIDs', () => {
    expect(phoneOfPn('15551230001@s.whatsapp.net')).toBe('+15551230001')
    expect(pnOfPhone('+1 555 123-0001')).toBe('15551230001@s.whatsapp.net')
  })

  it('lets nothing into an id that could change a URL or a key', () => {
    expect(() => parseLocationId('a/b')).toThrow(TypeError)
    expect(() => parseLocationId('')).toThrow(TypeError)
    expect(parseLocationId('ve9EPM428h8vShlRW1KT')).toBe('ve9EPM428h8vShlRW1KT')
  })

  it('masks numbers so that they cannot be dialled', () => {
    expect(maskPhone('+15551230001')).toBe('+155…001')
    expect(maskPhone('+1555')).toBe('…')
  })
})

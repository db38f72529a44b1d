import { describe, expect, it } from 'vitest'
import { readCard } from '../../../src/bridge/vcard.ts'

const card = (...lines: string[]) => ['BEGIN:VCARD', ...lines, 'END:VCARD'].join('\r\n')

describe('a vCard', () => {
  it('of WhatsApp: name, organisation, labelled numbers, mails', () => {
    const vcard = card(
      'VERSION:3.0',
      'N:Li;Bo;;;',
      'FN:Bo Li',
      'ORG:Acme;Sales',
      'item1.TEL;waid=15551230001:+1 555-123-0001',
      'item1.X-ABLabel:Mobile',
      'EMAIL;type=INTERNET:bo@acme.test',
    )
    expect(readCard(vcard)).toEqual({
      name: 'Bo Li',
      organisation: 'Acme, Sales',
      phones: ['+1 555-123-0001'],
      mails: ['bo@acme.test'],
    })
  })

  it.each([
    ['a name in parts', ['N:Doe;Cy;M.;Dr.;Jr.'], { name: 'Dr. Cy M. Doe Jr.' }],
    ['folded lines', ['FN:A very', '  long name'], { name: 'A very long name' }],
    ['escapes', ['FN:Li\\, Bo\\; Sons'], { name: 'Li, Bo; Sons' }],
    ['old phones', ['FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Jos=C3=A9'], { name: 'José' }],
    ['broken encoding', ['FN;ENCODING=QUOTED-PRINTABLE:=FF=FE'], { name: '=FF=FE' }],
    ['version 4', ['VERSION:4.0', 'FN:Bo', 'TEL;VALUE=uri:tel:+1-555'], { name: 'Bo', phones: ['+1-555'] }],
    ['nothing', [], { name: undefined, phones: [], mails: [] }],
  ])('with %s', (_what, lines, facts) => {
    expect(readCard(card(...lines))).toMatchObject(facts)
  })

  it('is not read without end', () => {
    expect(readCard(card(...Array.from({ length: 500 }, () => 'TEL:1'))).phones).toHaveLength(10)
    expect(readCard('no card at all: just text')).toMatchObject({ name: undefined, phones: [] })
  })
})

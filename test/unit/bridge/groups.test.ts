import { describe, expect, it } from 'vitest'
import { deliverToWhatsApp } from '../../../src/bridge/ghl-to-whatsapp.ts'
import { inGroup } from '../../../src/bridge/groups.ts'
import type { Original } from '../../../src/bridge/storage/message-rows.ts'
import { deliverToGhl } from '../../../src/bridge/whatsapp-to-ghl.ts'
import { GhlError, WhatsAppError } from '../../../src/core/errors.ts'
import { parseWaMessageId } from '../../../src/core/ids.ts'
import type { Envelope } from '../../../src/core/message.ts'
import { DEFAULT_SETTINGS } from '../../../src/core/settings.ts'
import { customer, inboundWork, job, outboundWork, world } from './world.ts'

const GROUP = '120363000000000001@g.us'
const MARIA: Partial<Envelope> = {
  chat: GROUP,
  author: '777@lid',
  pushName: 'Maria',
  authorPhone: '+5511912345678',
}
const theGroup = (known: boolean) =>
  customer({
    lid: undefined,
    pn: undefined,
    chat: GROUP,
    pushName: undefined,
    ...(known ? {} : { ghlContactId: undefined }),
  })
const said = (over: Partial<Envelope>, known = true) =>
  inboundWork({ kind: 'text', text: 'hello' }, { ...MARIA, ...over }, theGroup(known))

describe('a message in a group', () => {
  it.each([
    ['name and number', {}, 'Maria (+5511912345678): hello'],
    ['a name alone', { authorPhone: undefined }, 'Maria: hello'],
    ['a number alone', { pushName: undefined }, '+5511912345678: hello'],
    ['neither', { pushName: ' ', authorPhone: undefined }, 'Someone: hello'],
    ['a name on several lines', { pushName: 'Maria\nda Silva' }, 'Maria da Silva (+5511912345678): hello'],
    ['us', { fromMe: true }, 'hello'],
    ['the group itself', { author: GROUP }, 'hello'],
  ] as const)('says who speaks: %s', (_name, over, text) => {
    expect(inGroup(said(over as Partial<Envelope>).envelope, 'hello')).toBe(text)
  })

  it('says who sent a file without words', () => {
    expect(inGroup(said({}).envelope, '')).toBe('Maria (+5511912345678):')
  })

  it('makes one contact without a phone, called as the group', async () => {
    const { deps, done, inbound, state } = world()
    state.inboundWork = said({}, false)
    await deliverToGhl(deps, job())
    expect(done.slice(0, 4)).toEqual([
      'findGroup',
      'recordName Tulip fans',
      'findOrCreate undefined Tulip fans',
      'linkGhl ghl-found',
    ])
    expect(inbound[0]).toMatchObject({ direction: 'inbound', text: 'Maria (+5511912345678): hello' })
  })

  it('does not wait for a number that cannot be asked for the group’s name', async () => {
    const { deps, done, state, failNext } = world()
    failNext('findGroup', new WhatsAppError('WA_OFFLINE', 'away'))
    state.inboundWork = said({}, false)
    await deliverToGhl(deps, job())
    expect(done).toContain('findOrCreate undefined WhatsApp group')
  })

  it('costs one call to GHL in a known group', async () => {
    const { deps, done, state } = world()
    state.inboundWork = said({})
    await deliverToGhl(deps, job())
    expect(done[0]).toBe('addInbound')
  })
})

describe('what a message of a group quotes', () => {
  const quote = { of: parseWaMessageId('Q1'), content: { kind: 'text', text: 'Who comes?' } } as const
  const asked = { content: quote.content, author: '888@lid', secret: undefined, composed: undefined }

  it.each<[string, object, Original | undefined, string]>([
    ['a member we heard', {}, { ...asked, origin: 'customer', pushName: 'Bruno' }, 'Bruno: “Who comes?”'],
    ['one without a name', {}, { ...asked, origin: 'customer', authorPhone: '+1555' }, '+1555: “Who comes?”'],
    ['one we never heard', { authorPhone: '+1666' }, undefined, '+1666: “Who comes?”'],
    ['a hidden one we never heard', {}, undefined, '“Who comes?”'],
    ['the agent', {}, { ...asked, origin: 'ghl' }, 'you: “Who comes?”'],
    ['us, before the bridge', { isOurs: true }, undefined, 'you: “Who comes?”'],
  ])('is read out with its author: %s', async (_who, over, original, line) => {
    const { deps, inbound, state } = world()
    state.original = original
    state.inboundWork = said({ context: { quoted: { ...quote, ...over } } })
    await deliverToGhl(deps, job())
    expect(inbound[0]?.text).toBe(`Maria (+5511912345678): [Replying to ${line}]\nhello`)
  })
})

describe('a group’s new name', () => {
  const renamed = said({ author: GROUP, groupSubject: 'Rose fans' })

  it('is carried over from the one we gave', async () => {
    const { deps, done, state } = world()
    state.inboundWork = renamed
    state.groupName = 'Tulip fans'
    await deliverToGhl(deps, job())
    expect(done.slice(0, 3)).toEqual(['rename Tulip fans Rose fans', 'recordName Rose fans', 'addInbound'])
  })

  it('changes nothing where it is known already, nor where we gave none', async () => {
    for (const groupName of ['Rose fans', undefined]) {
      const { deps, done, state } = world()
      state.inboundWork = renamed
      state.groupName = groupName
      await deliverToGhl(deps, job())
      expect(done[0]).toBe('addInbound')
    }
  })

  it('holds nothing back when GHL refuses it, and is tried again when GHL is away', async () => {
    const refused = world()
    refused.state.inboundWork = renamed
    refused.state.groupName = 'Tulip fans'
    refused.failNext('rename Tulip fans Rose fans', new GhlError('GHL_REJECTED', 'no'))
    await deliverToGhl(refused.deps, job())
    expect(refused.inbound).toHaveLength(1)
    const away = world()
    away.state.inboundWork = renamed
    away.state.groupName = 'Tulip fans'
    away.failNext('rename Tulip fans Rose fans', new GhlError('GHL_UNAVAILABLE', 'away'))
    await expect(deliverToGhl(away.deps, job())).rejects.toMatchObject({ code: 'GHL_UNAVAILABLE' })
    expect(away.inbound).toHaveLength(0)
  })
})

describe('an answer to a group', () => {
  const answer = () =>
    outboundWork({ kind: 'text', text: 'hi all' }, { phone: undefined, contact: theGroup(true) })

  it('goes to the group, and nobody is asked for a phone', async () => {
    const { deps, done, state } = world()
    state.settings = { ...DEFAULT_SETTINGS, groups: true }
    state.outboundWork = answer()
    await deliverToWhatsApp(deps, job({ kind: 'outbound' }))
    expect(done).toContain(`send s1 ${GROUP} WA1`)
    expect(done).not.toContain('findPhone')
    expect(done).not.toContain('findOnWhatsApp')
  })

  it('is refused with the reason when groups are switched off', async () => {
    const { deps, done, state } = world()
    state.outboundWork = answer()
    const delivery = deliverToWhatsApp(deps, job({ kind: 'outbound' }))
    await expect(delivery).rejects.toMatchObject({ code: 'WA_GROUPS_OFF', disposition: 'dead' })
    expect(done).toEqual([])
  })
})

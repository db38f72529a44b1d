import { describe, expect, it } from 'vitest'
import { acceptContactEvent, type ContactEvent } from '../../../src/bridge/contact-events.ts'
import { ghlContactOf, payContact } from '../../../src/bridge/contacts.ts'
import { deliverToWhatsApp } from '../../../src/bridge/ghl-to-whatsapp.ts'
import { labelled } from '../../../src/bridge/label.ts'
import { markReadOnWhatsApp } from '../../../src/bridge/read-state.ts'
import { createSplitDesk } from '../../../src/bridge/split-contacts.ts'
import type { OwedRead } from '../../../src/bridge/storage/message-rows.ts'
import { GhlError } from '../../../src/core/errors.ts'
import {
  parseContactId,
  parseGhlContactId,
  parseGhlMessageId,
  parseMessageId,
  parseWaMessageId,
} from '../../../src/core/ids.ts'
import { DEFAULT_SETTINGS } from '../../../src/core/settings.ts'
import { customer, job, LOCATION, outboundWork, SESSION, world } from './world.ts'

const ANA = parseGhlContactId('ghl-ana')
const OTHER = parseGhlContactId('ghl-other')

describe('the GHL contact of a person', () => {
  it('owes what WhatsApp did not tell when it was made', async () => {
    const { deps, links } = world()
    const hidden = customer({ ghlContactId: undefined, pn: undefined })
    await ghlContactOf(deps, hidden, 'Ana')
    await ghlContactOf(deps, customer({ ghlContactId: undefined }), ' ')
    await ghlContactOf(deps, customer({ ghlContactId: undefined }), 'Ana')
    const group = customer({ ghlContactId: undefined, pn: undefined, lid: undefined, chat: '123@g.us' })
    await ghlContactOf(deps, group, undefined)
    expect(links).toEqual([
      { owesPhone: true, owesName: false },
      { owesPhone: false, owesName: true },
      { owesPhone: false, owesName: false },
      { owesPhone: false, owesName: false },
    ])
  })

  it('is the one that GHL merged it into, before anything is looked up by number or made', async () => {
    const { deps, done, state } = world()
    const lost = customer({ ghlContactId: undefined, lastFiled: parseGhlMessageId('g0') })
    state.survivor = OTHER
    expect(await ghlContactOf(deps, lost, 'Ana')).toBe(OTHER)
    expect(done).toEqual(['findSurvivor g0', 'linkGhl ghl-other'])
    state.survivor = undefined
    expect(await ghlContactOf(deps, lost, 'Ana')).toBe('ghl-found')
  })

  it('is paid only what is owed, and another holder of the number is remembered', async () => {
    const { deps, done, state } = world()
    const pay = job({ kind: 'contact', subject: 'c1' })
    await payContact(deps, pay)
    expect(done).toEqual([])
    state.owed = { contact: customer(), owesPhone: true, owesName: false }
    state.phoneHolder = OTHER
    await payContact(deps, pay)
    expect(done[0]).toBe('complete ghl-ana {"phone":"+15551230001"}')
    expect(done[1]).toMatch(
      /^recordPaid ghl-ana .*"owesPhone":true,"owesName":false,"phoneHolder":"ghl-other"/,
    )
  })

  it('is let go when it turns out to be gone, and any other refusal is tried again', async () => {
    const { deps, done, state, failNext } = world()
    state.owed = { contact: customer(), owesPhone: false, owesName: true }
    const call = 'complete ghl-ana {"name":"Ana"}'
    failNext(call, new GhlError('GHL_CONTACT_NOT_FOUND', 'gone'), new GhlError('GHL_UNAVAILABLE', 'down'))
    await payContact(deps, job({ kind: 'contact', subject: 'c1' }))
    expect(done).toEqual([call, 'unlinkGhl ghl-ana'])
    await expect(payContact(deps, job({ kind: 'contact', subject: 'c1' }))).rejects.toThrow('down')
  })
})

describe('a first message to a number', () => {
  it('finds the person under the other form of it', async () => {
    const { deps, done, state } = world()
    state.outboundWork = outboundWork(
      { kind: 'text', text: 'oi' },
      { contact: undefined, phone: '+5511987654321' },
    )
    state.onlyAs = '551187654321@s.whatsapp.net'
    await deliverToWhatsApp(deps, job({ kind: 'outbound' }))
    expect(done.slice(0, 3)).toEqual([
      'findOnWhatsApp 5511987654321@s.whatsapp.net',
      'findOnWhatsApp 551187654321@s.whatsapp.net',
      'settle 98765@lid',
    ])
  })
})

describe('the read state', () => {
  const owed = (id: string): OwedRead => ({
    id: parseMessageId(id),
    chat: '98765@lid',
    author: '98765@lid',
    waMessageId: parseWaMessageId(`WA-${id}`),
  })
  const read = job({ kind: 'read', subject: SESSION })

  it('is owed once the answer has left, and only where the location wants it', async () => {
    const { deps, done, state } = world()
    state.outboundWork = outboundWork({ kind: 'text', text: 'hello' })
    await deliverToWhatsApp(deps, job({ kind: 'outbound' }))
    expect(done.join()).not.toContain('oweReads')
    state.settings = { ...DEFAULT_SETTINGS, markRead: true }
    await deliverToWhatsApp(deps, job({ kind: 'outbound' }))
    expect(done.slice(-3)).toEqual(['send s1 98765@lid WA1', 'oweReads m1', 'advance WA1 sent'])
  })

  it('is told to WhatsApp batch by batch, and remembered after', async () => {
    const { deps, done, state } = world()
    state.settings = { ...DEFAULT_SETTINGS, markRead: true }
    state.owedReads = [
      { locationId: LOCATION, messages: [owed('a'), owed('b')] },
      { locationId: LOCATION, messages: [owed('c')] },
      { locationId: LOCATION, messages: [] },
    ]
    await markReadOnWhatsApp(deps, read)
    expect(done).toEqual([
      'markRead s1 WA-a,WA-b',
      'settleReads a,b true',
      'markRead s1 WA-c',
      'settleReads c true',
    ])
  })

  it('is forgiven when the setting was switched off meanwhile', async () => {
    const { deps, done, state } = world()
    state.owedReads = [{ locationId: LOCATION, messages: [owed('a')] }]
    await markReadOnWhatsApp(deps, read)
    expect(done).toEqual(['settleReads a false'])
  })
})

describe('an event of GHL about a contact', () => {
  const event = (type: string, payload = {}): ContactEvent => ({
    type,
    locationId: LOCATION,
    ghlContactId: ANA,
    sentAt: new Date(),
    payload,
  })

  it('lets a deleted contact go', async () => {
    const { deps, done } = world()
    await acceptContactEvent(deps, event('ContactDelete'))
    await acceptContactEvent(deps, { ...event('ContactDelete'), ghlContactId: undefined })
    expect(done).toEqual(['unlinkGhl ghl-ana'])
  })

  it('marks a conversation that was opened as seen, where the location wants it', async () => {
    const { deps, done, state } = world()
    await acceptContactEvent(deps, event('ConversationUnreadUpdate', { unreadCount: 0 }))
    expect(done).toEqual([])
    state.settings = { ...DEFAULT_SETTINGS, markRead: true }
    await acceptContactEvent(deps, event('ConversationUnreadUpdate', { unreadCount: 3 }))
    await acceptContactEvent(deps, event('ConversationUnreadUpdate'))
    expect(done).toEqual([])
    await acceptContactEvent(deps, event('ConversationUnreadUpdate', { unreadCount: 0 }))
    expect(done).toEqual(['oweReads ghl-ana'])
  })

  it('changes nothing otherwise: a new number in GHL is not a new person', async () => {
    const { deps, done } = world()
    for (const type of ['ContactUpdate', 'ContactCreate', 'OutboundMessage'])
      await acceptContactEvent(deps, event(type))
    expect(done).toEqual([])
  })
})

describe('the label', () => {
  const via = { name: 'Sales', phoneNumber: '+15550000199', numbers: 2 }
  it.each([
    ['hello', via, 'hello\n\nvia Sales (…0199)'],
    ['', via, 'via Sales (…0199)'],
    ['hello', { ...via, name: undefined }, 'hello\n\nvia …0199'],
    ['hello', { ...via, phoneNumber: undefined }, 'hello\n\nvia Sales'],
    ['hello', { ...via, name: undefined, phoneNumber: undefined }, 'hello'],
    ['hello', { ...via, numbers: 1 }, 'hello'],
  ])('of %j by %j makes %j', (text, by, expected) => {
    expect(labelled(text, by)).toBe(expected)
  })
})

describe('the report of split contacts', () => {
  const nothing = { several: [], shared: [], moved: [], held: [] }
  const report = async (found: object, living: readonly string[] = []) => {
    const looks: string[] = []
    const desk = createSplitDesk({
      contacts: { listSplit: () => Promise.resolve({ ...nothing, ...found }) },
      ghlContacts: {
        exists: (_location, id) => {
          looks.push(id)
          return Promise.resolve(living.includes(id))
        },
      },
    })
    return { split: await desk.list(LOCATION), looks }
  }
  const former = parseGhlContactId('ghl-former')

  it('names only the contacts that still live, and asks for each once', async () => {
    const found = {
      held: [{ contact: customer(), holder: OTHER }],
      several: [
        { contact: customer(), others: [OTHER, former] },
        { contact: customer({ contactId: parseContactId('c2') }), others: [former] },
      ],
    }
    const { split, looks } = await report(found, [OTHER])
    expect(split.map(({ kind, ghlContactIds }) => [kind, ghlContactIds])).toEqual([
      ['number_elsewhere', [ANA, OTHER]],
      ['several_ghl_contacts', [ANA, OTHER]],
    ])
    expect(looks).toEqual([OTHER, former])
    for (const { message, action } of split) {
      expect(message).toContain('Ana')
      expect(action).toContain('merge them in GHL')
    }
  })

  it('says in words what shares a contact and which number has moved', async () => {
    const ben = customer({ contactId: parseContactId('c2'), pushName: 'Ben', pn: undefined })
    const { split } = await report({
      shared: [{ ghlContactId: ANA, contacts: [customer(), ben] }],
      moved: [{ former: ben, owner: customer() }],
    })
    expect(split).toMatchObject([
      {
        kind: 'shared_ghl_contact',
        ghlContactIds: [ANA],
        people: [{ pushName: 'Ana' }, { phoneNumber: null }],
      },
      { kind: 'number_moved', ghlContactIds: [ANA] },
    ])
    expect(split[0]?.message).toContain('Ana and Ben')
  })

  it('stops asking GHL at some point, and shows the rest unasked', async () => {
    const others = Array.from({ length: 70 }, (_, index) => parseGhlContactId(`g${index}`))
    const { split, looks } = await report({ several: [{ contact: customer(), others }] })
    expect(looks).toHaveLength(50)
    expect(split[0]?.ghlContactIds).toHaveLength(21)
  })
})

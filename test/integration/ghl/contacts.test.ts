import { afterEach, describe, expect, it } from 'vitest'
import { parseGhlContactId } from '../../../src/core/ids.ts'
import { type Bench, startBench } from './bench.ts'

let bench: Bench
afterEach(async () => {
  expect(bench.sandbox.stats().oddities).toEqual([])
  await bench.stop()
})

const calls = () => bench.sandbox.calls().map((call) => call.route)

async function ready(options?: Parameters<typeof startBench>[0]) {
  bench = await startBench(options)
  const locationId = await bench.install()
  bench.sandbox.forget()
  return { locationId, contacts: bench.ghl.contacts, world: bench.sandbox.contacts }
}

describe('the contact of a WhatsApp person', () => {
  it('is made once and named by the person’s own name', async () => {
    const { locationId, contacts, world } = await ready()
    const id = await contacts.findOrCreate(locationId, '+15551230001', 'Ada Lovelace')
    expect(await contacts.findOrCreate(locationId, '+15551230001', 'Ada Lovelace')).toBe(id)
    expect(world.list(locationId)).toMatchObject([
      { id, text: { phone: '+15551230001', firstName: 'Ada', lastName: 'Lovelace' } },
    ])
    expect(calls()).toEqual(['POST /contacts/upsert', 'PUT /contacts/:contactId', 'POST /contacts/upsert'])
  })

  it('keeps the name and the tags that people gave it', async () => {
    const { locationId, contacts, world } = await ready()
    const known = world.add(locationId, { phone: '+15551230001', name: 'Dr. Lovelace', tags: ['vip'] })
    expect(await contacts.findOrCreate(locationId, '+15551230001', '~ada~')).toBe(known.id)
    expect(world.get(known.id)).toMatchObject({
      text: { firstName: 'Dr.', lastName: 'Lovelace' },
      tags: ['vip'],
    })
  })

  it('is named when it has no name yet', async () => {
    const { locationId, contacts, world } = await ready()
    const known = world.add(locationId, { phone: '+15551230001' })
    await contacts.findOrCreate(locationId, '+15551230001', 'Ada')
    expect(world.get(known.id)?.text.firstName).toBe('Ada')
  })

  it('is the right one even when its name cannot be written', async () => {
    const { locationId, contacts } = await ready()
    bench.sandbox.faults.add({ route: 'PUT *', effect: { kind: 'status', status: 422 } })
    expect(await contacts.findOrCreate(locationId, '+15551230001', 'Ada')).toBeTruthy()
  })

  it('is found under the other form of a Brazilian number', async () => {
    const { locationId, contacts, world } = await ready()
    const known = world.add(locationId, { phone: '+5511987654321', name: 'Ana' })
    expect(await contacts.findOrCreate(locationId, '+551187654321', 'ana')).toBe(known.id)
    expect(world.list(locationId).length).toBe(1)
  })

  it('without a number is made by name alone', async () => {
    const { locationId, contacts, world } = await ready()
    const id = await contacts.findOrCreate(locationId, undefined, undefined)
    expect(world.get(id)?.text).toMatchObject({ firstName: 'WhatsApp' })
    expect(world.get(id)?.text.phone).toBeUndefined()
  })

  it('that GHL calls a duplicate is the one GHL names', async () => {
    const { locationId, contacts } = await ready()
    bench.sandbox.faults.add({
      route: 'POST /contacts/upsert',
      effect: {
        kind: 'status',
        status: 400,
        body: {
          statusCode: 400,
          message: 'This location does not allow duplicated contacts.',
          meta: { contactId: 'KnownContact', matchingField: 'phone' },
        },
      },
    })
    expect(await contacts.findOrCreate(locationId, '+15551230001', 'Ada')).toBe('KnownContact')
  })
})

describe('the number of a contact', () => {
  it('is known, absent, or gone with the contact', async () => {
    const { locationId, contacts, world } = await ready()
    const withPhone = parseGhlContactId(world.add(locationId, { phone: '+15551230001' }).id)
    const without = parseGhlContactId(world.add(locationId, { name: 'Nobody' }).id)
    expect(await contacts.findPhone(locationId, withPhone)).toBe('+15551230001')
    expect(await contacts.findPhone(locationId, without)).toBeUndefined()
    world.delete(withPhone)
    expect(await contacts.findPhone(locationId, withPhone)).toBeUndefined()
  })
})

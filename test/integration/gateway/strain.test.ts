/** Sibling backends that ask too much, hang up, or ask for what GHL always fails: nobody else pays for it. */
import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type LocationId, parseGhlContactId, parseWaMessageId } from '../../../src/core/ids.ts'
import { waitFor } from '../../support/wait-for.ts'
import { type GatewayBench, OPERATOR, startGatewayBench } from './bench.ts'

describe('a sibling backend', () => {
  let bench: GatewayBench
  let here: LocationId
  let there: LocationId
  beforeAll(async () => {
    bench = await startGatewayBench()
    there = await bench.install('There')
  })
  afterAll(() => bench.stop())
  beforeEach(async () => {
    here = await bench.install('Here')
    bench.sandbox.forget()
  })

  const proxy = (location: LocationId) => `/api/ghl/location/${location}/proxy`
  const person = (location: LocationId) => bench.sandbox.contacts.add(location, { name: 'Ana' }).id
  const read = (location: LocationId) => bench.call('GET', `${proxy(location)}/contacts/${person(location)}`)
  const deliver = (location: LocationId) =>
    bench.ghl.conversations.addInbound({
      locationId: location,
      ghlContactId: parseGhlContactId(person(location)),
      direction: 'inbound',
      altId: parseWaMessageId('W'),
      text: 'hello',
      attachments: [],
    })

  it('that asks for what GHL always fails pauses no live message', async () => {
    const effect = { kind: 'status', status: 500 } as const
    const heal = bench.sandbox.faults.add({ route: 'POST /contacts/', times: null, effect })
    for (let n = 0; n < 7; n += 1) {
      const answer = await bench.call('POST', `${proxy(here)}/contacts/`, OPERATOR, { locationId: here })
      expect(answer.status).toBe(500)
    }
    heal()
    await deliver(here)
    expect((await read(here)).status).toBe(200)
  })

  it('that hangs up pauses no live message', async () => {
    const effect = { kind: 'delay', ms: 3_000 } as const
    const heal = bench.sandbox.faults.add({ route: 'POST /contacts/', times: null, effect })
    for (let n = 0; n < 7; n += 1) {
      const gone = new AbortController()
      const body = JSON.stringify({ locationId: here, firstName: 'Ben' })
      const asked = fetch(`${bench.url}${proxy(here)}/contacts/`, {
        method: 'POST',
        headers: { authorization: `Bearer ${OPERATOR}`, 'content-type': 'application/json' },
        body,
        signal: gone.signal,
      }).catch(() => undefined)
      await waitFor('the call at GHL', () => bench.sandbox.calls({ route: 'POST /contacts/' }).length > n)
      gone.abort(new Error('enough'))
      await asked
    }
    heal()
    await deliver(here)
    expect((await read(here)).status).toBe(200)
  })

  it('with more slow uploads than it may have keeps no other location waiting', async () => {
    expect((await read(here)).status).toBe(200)
    const uploads = Array.from({ length: 40 }, () => {
      const upload = request(`${bench.url}${proxy(here)}/medias/upload-file`, {
        method: 'POST',
        agent: false,
        headers: {
          authorization: `Bearer ${OPERATOR}`,
          'content-type': 'multipart/form-data; boundary=x',
          'content-length': '5000000',
        },
      })
      upload.on('error', () => undefined)
      upload.write(Buffer.alloc(1_000))
      return upload
    })
    const trickle = setInterval(() => {
      for (const upload of uploads) upload.write('x')
    }, 200)
    const atGhl = () => bench.sandbox.calls({ route: 'POST /medias/upload-file' }).length
    await waitFor('sixteen uploads', () => atGhl() === 16)
    const startMs = performance.now()
    await deliver(here)
    await deliver(there)
    expect((await read(there)).status).toBe(200)
    expect(performance.now() - startMs).toBeLessThan(1_000)
    expect(atGhl()).toBe(16)
    clearInterval(trickle)
    for (const upload of uploads) upload.destroy()
    await waitFor('a free line', async () => (await read(here)).status === 200)
  })

  it('gives its line back after every kind of answer', async () => {
    const contact = person(here)
    for (let n = 0; n < 20; n += 1) {
      await bench.call('HEAD', `${proxy(here)}/contacts/${contact}`)
      const effect = { kind: 'status', status: n % 2 === 0 ? 401 : 403 } as const
      bench.sandbox.faults.add({ route: 'GET /contacts/:contactId', effect })
      await bench.call('GET', `${proxy(here)}/contacts/${contact}`)
    }
    expect((await read(here)).status).toBe(200)
  })

  it('whose 401 comes compressed spends no refresh token on a scope that is missing', async () => {
    const body = { statusCode: 401, message: 'The token is not authorized for this scope.' }
    const refreshes = () => bench.sandbox.calls({ route: 'POST /oauth/token' }).length
    const before = refreshes()
    const effect = { kind: 'status', status: 401, body, gzip: true } as const
    bench.sandbox.faults.add({ route: 'GET /contacts/:contactId', effect })
    const node = bench.anotherGhl()
    const answer = await node.gateway.pass({
      locationId: here,
      method: 'GET',
      pathAndQuery: `/contacts/${person(here)}`,
      headers: { 'accept-encoding': 'gzip' },
      body: undefined,
      signal: new AbortController().signal,
    })
    expect([answer.status, answer.headers['content-encoding']]).toEqual([401, 'gzip'])
    answer.body.resume()
    expect(refreshes()).toBe(before)
    await node.close()
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, type GatewayBench, startGatewayBench } from './bench.ts'

interface Made {
  readonly success: boolean
  readonly productId: string | null
  readonly message: string
  readonly error?: {
    readonly code: string
    readonly action: string
    readonly details?: { readonly status: number }
  }
}

describe('POST /api/products/create', () => {
  let bench: GatewayBench
  let locationId: string
  let installationId: string
  let key: string
  beforeAll(async () => {
    bench = await startGatewayBench()
    locationId = await bench.install()
    const row = (await bench.store.installations.list()).find((each) => each.locationId === locationId)
    installationId = row?.installationId ?? ''
    key = (await bench.key(['products'], locationId)).key
  })
  afterAll(() => bench.stop())
  beforeEach(() => {
    bench.sandbox.faults.clear()
    bench.sandbox.forget()
  })

  const create = async (change: object, bearer = key) => {
    const answer = await bench.call('POST', '/api/products/create', bearer, {
      installation_id: installationId,
      name: 'Check-up',
      productType: 'SERVICE',
      ...change,
    })
    return { status: answer.status, body: (await answer.json()) as Made }
  }
  const writes = () =>
    bench.sandbox
      .calls()
      .map(({ route }) => route)
      .filter((route) => route.startsWith('POST'))

  it('makes a product with its price', async () => {
    const { status, body } = await create({
      name: 'Cleaning',
      description: 'An hour',
      price: 49.5,
      currency: 'usd',
      availableInStore: true,
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      success: true,
      message: 'Product created with its price',
      goHighLevelResponse: {
        _id: body.productId,
        name: 'Cleaning',
        product: { _id: body.productId, name: 'Cleaning', availableInStore: true },
        price: { amount: 49.5, currency: 'USD', product: body.productId },
      },
    })
  })

  it('makes nothing while GHL cannot say what is there, and says so by success', async () => {
    bench.sandbox.faults.add({
      route: 'GET /products/',
      times: null,
      effect: { kind: 'status', status: 500, body: { statusCode: 500, message: 'oops' } },
    })
    expect(await create({ name: 'Once' })).toMatchObject({
      status: 502,
      body: { success: false, error: { code: 'GHL_UNAVAILABLE' } },
    })
    expect(writes()).toEqual([])
  })

  it('makes one without a price', async () => {
    expect(await create({ name: 'Plain' })).toMatchObject({ status: 201, body: { success: true } })
    expect(writes()).toEqual(['POST /products/'])
  })

  it('says plainly that the product is there and its price is not, and is safe to repeat', async () => {
    bench.sandbox.faults.add({
      route: 'POST /products/:productId/price',
      effect: { kind: 'status', status: 403, body: { statusCode: 403, message: 'Forbidden resource' } },
    })
    const wish = { name: 'Half', price: 10, currency: 'EUR' }
    const half = await create(wish)
    expect(half).toMatchObject({ status: 403, body: { success: false, error: { code: 'GHL_FORBIDDEN' } } })
    expect(half.body.productId).not.toBeNull()
    expect(half.body.message).toMatch(/product exists.*refused its price.*not made twice/)
    expect(half.body.error?.action).toMatch(/scopes.*plan/)
    const whole = await create(wish)
    expect(whole).toMatchObject({ status: 200, body: { success: true, productId: half.body.productId } })
    const again = await create(wish)
    expect(again).toMatchObject({ status: 200, body: { productId: half.body.productId } })
    expect(writes()).toEqual([
      'POST /products/',
      'POST /products/:productId/price',
      'POST /products/:productId/price',
    ])
  })

  it('explains a refusal of GHL with its status, its words and the cure', async () => {
    bench.sandbox.faults.add({
      route: 'POST /products/',
      effect: { kind: 'status', status: 403, body: { statusCode: 403, message: 'Forbidden resource' } },
    })
    const { status, body } = await create({ name: 'Refused' })
    expect(status).toBe(403)
    const action = expect.stringMatching(/products\.write.*plan/) as string
    expect(body).toMatchObject({ success: false, productId: null, error: { code: 'GHL_FORBIDDEN', action } })
    expect(body.message).toContain('Forbidden resource')
  })

  it('keeps the status of GHL’s own error over the product, and is safe to repeat', async () => {
    bench.sandbox.faults.add({
      route: 'POST /products/',
      when: 'after',
      effect: { kind: 'status', status: 503 },
    })
    const failed = await create({ name: 'Unknown' })
    expect(failed).toMatchObject({
      status: 502,
      body: { success: false, productId: null, error: { code: 'GHL_UNAVAILABLE', details: { status: 503 } } },
    })
    expect(failed.body.message).toMatch(/GHL failed over the product/)
    expect(failed.body.error?.action).toMatch(/again.*not made twice/)
    // It had made it all the same.
    expect(await create({ name: 'Unknown' })).toMatchObject({ status: 200, body: { success: true } })
    expect(writes()).toEqual(['POST /products/'])
  })

  it.each([
    ['making it', 'POST /products/:productId/price', 500],
    ['looking for it', 'GET /products/:productId/price', 503],
  ])('names the product when GHL fails over its price, %s', async (name, route, status) => {
    bench.sandbox.faults.add({
      route,
      times: null,
      effect: { kind: 'status', status, body: { statusCode: status, message: 'oops' } },
    })
    const wish = { name, price: 10, currency: 'EUR' }
    const half = await create(wish)
    expect(half).toMatchObject({
      status: 502,
      body: {
        success: false,
        productId: expect.any(String) as string,
        message: expect.stringMatching(/product exists.*failed over its price: oops/) as string,
        error: { code: 'GHL_UNAVAILABLE', details: { status } },
      },
    })
    bench.sandbox.faults.clear()
    expect(await create(wish)).toMatchObject({
      status: 200,
      body: { success: true, productId: half.body.productId },
    })
  })

  it('names the product when GHL’s answer over the price is lost', async () => {
    bench.sandbox.faults.add({
      route: 'POST /products/:productId/price',
      when: 'after',
      effect: { kind: 'drop' },
    })
    const half = await create({ name: 'Lost', price: 10, currency: 'EUR' })
    expect(half).toMatchObject({
      status: 502,
      body: {
        success: false,
        productId: expect.any(String) as string,
        error: { code: 'GHL_UNAVAILABLE', action: expect.stringMatching(/not made twice/) as string },
      },
    })
  })

  it.each([
    ['no name', { name: '' }],
    ['an unknown type', { productType: 'DREAM' }],
    ['a negative price', { price: -1, currency: 'USD' }],
    ['a price without a currency', { price: 1 }],
    ['a currency that is none', { price: 1, currency: 'dollars' }],
    ['a price in words', { price: 'ten', currency: 'USD' }],
    ['an unknown property', { colour: 'red' }],
    ['an installation that is no id', { installation_id: '../x' }],
  ])('refuses %s and asks GHL for nothing', async (_, change) => {
    expect(await create(change)).toMatchObject({ status: 400, body: { error: { code: 'REQUEST_INVALID' } } })
    expect(bench.sandbox.calls()).toEqual([])
  })

  it('refuses an unknown installation and another location’s', async () => {
    expect((await create({ installation_id: 'nobody' })).status).toBe(404)
    const { key: foreign } = await bench.key(['products'], await bench.install('Other'))
    bench.sandbox.forget()
    const answer = await bench.call('POST', '/api/products/create', foreign, {
      installation_id: installationId,
      name: 'x',
      productType: 'SERVICE',
    })
    expect([answer.status, await codeOf(answer)]).toEqual([403, 'FORBIDDEN'])
    expect(bench.sandbox.calls()).toEqual([])
  })
})

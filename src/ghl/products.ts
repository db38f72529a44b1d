/** What a location sells: a product, and its price. */
import { z } from 'zod'
import type { GhlProducts, NewProduct, ProductOutcome, ProductRefusal } from '../bridge/gateway.ts'
import { GhlError } from '../core/errors.ts'
import type { GhlClient } from './client.ts'
import { type Refusal, refusalError } from './refusals.ts'

const madeSchema = z.looseObject({ _id: z.string() })
const productsSchema = z.looseObject({
  products: z.array(z.looseObject({ _id: z.string(), name: z.string().optional().catch(undefined) })),
})
const pricesSchema = z.looseObject({
  prices: z.array(
    z.looseObject({
      _id: z.string(),
      amount: z.number().optional().catch(undefined),
      currency: z.string().optional().catch(undefined),
    }),
  ),
})
/** Products of one name that are looked through; more than a few is somebody else's trouble. */
const LOOKED_AT = 50

/** The app may make, but not read; or there is nothing to list. */
const UNREADABLE = new Set([401, 403, 404])

interface Step {
  readonly id: string | undefined
  readonly wasKnown: boolean
  readonly answer: unknown
  readonly refusal: Refusal | undefined
}

export function createProducts(client: GhlClient): GhlProducts {
  const post = async (product: NewProduct, path: string, json: object): Promise<Step> => {
    const call = { method: 'POST', path, json, priority: 'gateway' } as const
    const { body, refusal } = await client.send(product.locationId, call)
    // An error of GHL's own leaves it open whether it made the thing: the caller must look, or repeat, which looks.
    if (refusal !== undefined && (refusal.status >= 500 || refusal.status === 429))
      throw refusalError(refusal, 'GHL failed over the product')
    const id = madeSchema.safeParse(body).data?._id
    if (refusal === undefined && id === undefined) {
      throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without an id', { certainty: 'unknown' })
    }
    return { id, wasKnown: false, answer: body, refusal }
  }

  /**
   * The answer of a list, `undefined` when it may not be read: then nothing is known, and the thing is made.
   *
   * @throws {GhlError} when the list fails: what is there already would be made twice.
   */
  const look = async (product: NewProduct, path: string, query: Record<string, string | number>) => {
    const call = { method: 'GET', path, query, priority: 'gateway' } as const
    const { body, refusal } = await client.send(product.locationId, call)
    if (refusal === undefined) return body
    if (UNREADABLE.has(refusal.status)) return undefined
    throw refusalError(refusal, 'GHL could not say what there is already')
  }

  const makeProduct = async (product: NewProduct): Promise<Step> => {
    const { locationId, name, description, productType, availableInStore } = product
    const listed = await look(product, '/products/', { locationId, search: name, limit: LOOKED_AT })
    const known = productsSchema.safeParse(listed).data?.products.find((each) => each.name === name)
    if (known !== undefined) return { id: known._id, wasKnown: true, answer: known, refusal: undefined }
    return await post(product, '/products/', {
      name,
      locationId,
      productType,
      ...(description !== undefined && { description }),
      ...(availableInStore !== undefined && { availableInStore }),
    })
  }

  const makePrice = async (product: NewProduct, productId: string): Promise<Step> => {
    const { locationId, name, price: amount, currency } = product
    const path = `/products/${productId}/price`
    const listed = await look(product, path, { locationId, limit: LOOKED_AT })
    const known = pricesSchema
      .safeParse(listed)
      .data?.prices.find((each) => each.amount === amount && each.currency === currency)
    if (known !== undefined) return { id: known._id, wasKnown: true, answer: known, refusal: undefined }
    return await post(product, path, { name, type: 'one_time', currency, amount, locationId })
  }

  return {
    async create(product) {
      const made = await makeProduct(product)
      const outcome: ProductOutcome = {
        productId: made.id,
        wasKnown: made.wasKnown,
        price: 'none',
        refusal: made.refusal && explained(made.refusal),
        ghl: { product: made.answer },
      }
      if (made.id === undefined || product.price === undefined) return outcome
      const price = await makePrice(product, made.id)
      return {
        ...outcome,
        price: price.refusal !== undefined ? 'refused' : price.wasKnown ? 'known' : 'made',
        refusal: price.refusal && explained(price.refusal),
        ghl: { ...outcome.ghl, price: price.answer },
      }
    },
  }
}

/** GHL's refusal, and the cure in words. */
function explained(refusal: Refusal): ProductRefusal {
  const { code, action } = refusalError(refusal, 'GHL refused the product')
  const { status, message } = refusal
  if (status === 401 || status === 403) {
    return {
      status,
      code,
      message,
      action:
        'GHL does not let this installation do that: either the app lacks the scopes products.write and products/prices.write (add them, then update or re-install the app in the location), or the location’s plan has no products.',
    }
  }
  return { status, code, message, action: action ?? 'Correct what GHL names, then send it again.' }
}

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
  readonly refusal: ProductRefusal | undefined
}

export function createProducts(client: GhlClient): GhlProducts {
  const post = async (product: NewProduct, path: string, json: object): Promise<Step> => {
    const call = { method: 'POST', path, json, priority: 'gateway' } as const
    const { body, refusal } = await client.send(product.locationId, call)
    if (refusal !== undefined) return refused(refusal, body)
    const id = madeSchema.safeParse(body).data?._id
    if (id === undefined) {
      throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without an id', { certainty: 'unknown' })
    }
    return { id, wasKnown: false, answer: body, refusal: undefined }
  }

  /**
   * The answer of a list, empty when it may not be read: then nothing is known, and the thing is made. When it fails, the
   * refusal: what is there already would be made twice.
   */
  const look = async (product: NewProduct, path: string, query: Record<string, string | number>) => {
    const call = { method: 'GET', path, query, priority: 'gateway' } as const
    const { body, refusal } = await client.send(product.locationId, call)
    if (refusal === undefined) return { list: body }
    return UNREADABLE.has(refusal.status) ? {} : { failed: refused(refusal, body) }
  }

  const makeProduct = async (product: NewProduct): Promise<Step> => {
    const { locationId, name, description, productType, availableInStore } = product
    const { list, failed } = await look(product, '/products/', { locationId, search: name, limit: LOOKED_AT })
    if (failed !== undefined) return failed
    const known = productsSchema.safeParse(list).data?.products.find((each) => each.name === name)
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
    const { list, failed } = await look(product, path, { locationId, limit: LOOKED_AT })
    if (failed !== undefined) return failed
    const known = pricesSchema
      .safeParse(list)
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
        refusal: made.refusal,
        ghl: { product: made.answer },
      }
      if (made.id === undefined || product.price === undefined) return outcome
      // The product is there by now, which the caller must learn whatever becomes of the price.
      const price = await makePrice(product, made.id).catch(unanswered)
      return {
        ...outcome,
        price: price.refusal !== undefined ? 'refused' : price.wasKnown ? 'known' : 'made',
        refusal: price.refusal,
        ghl: { ...outcome.ghl, price: price.answer },
      }
    },
  }
}

const AGAIN = 'Send the same request again: what is there by then is found, and not made twice.'

const refused = (refusal: Refusal, answer: unknown): Step => ({
  id: undefined,
  wasKnown: false,
  answer,
  refusal: explained(refusal),
})

/** GHL's refusal, and the cure in words. */
function explained(refusal: Refusal): ProductRefusal {
  const { code, action, retryAfterMs } = refusalError(refusal, 'GHL refused the product')
  const { status, message } = refusal
  const told = { status, code, message, retryAfterMs }
  if (status === 401 || status === 403) {
    return {
      ...told,
      action:
        'GHL does not let this installation do that: either the app lacks the scopes products.write and products/prices.write (add them, then update or re-install the app in the location), or the location’s plan has no products.',
    }
  }
  // An error of GHL's own leaves it open whether it made the thing: a repeat looks first.
  if (status >= 500 || status === 429) return { ...told, action: action ?? AGAIN }
  return { ...told, action: action ?? 'Correct what GHL names, then send it again.' }
}

/** GHL did not answer, or not with what it should. @throws whatever else went wrong. */
function unanswered(thrown: unknown): Step {
  if (!(thrown instanceof GhlError)) throw thrown
  const { code, message, action, retryAfterMs } = thrown
  const refusal = { status: undefined, code, message, action: action ?? AGAIN, retryAfterMs }
  return { id: undefined, wasKnown: false, answer: undefined, refusal }
}

/** A product and its price, made in GHL for a sibling backend. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { GhlProducts, ProductOutcome, ProductRefusal } from '../../bridge/gateway.ts'
import type { InstallationStore } from '../../bridge/installations.ts'
import { RequestError } from '../../core/errors.ts'
import { statusOf } from '../answers.ts'
import { may, requireLocation } from '../auth.ts'
import { Id } from '../schemas.ts'

export interface ProductDeps {
  readonly products: GhlProducts
  readonly installations: Pick<InstallationStore, 'find'>
}

const NewProduct = z
  .strictObject({
    installation_id: Id,
    name: z.string().trim().min(1).max(500),
    description: z.string().max(20_000).optional(),
    productType: z.enum(['DIGITAL', 'PHYSICAL', 'SERVICE', 'PHYSICAL/DIGITAL']),
    price: z.number().nonnegative().optional(),
    currency: z
      .string()
      .regex(/^[A-Za-z]{3}$/, { error: 'must be a currency like USD' })
      .transform((code) => code.toUpperCase())
      .optional(),
    availableInStore: z.boolean().optional(),
  })
  .refine(({ price, currency }) => price === undefined || currency !== undefined, {
    error: 'a price needs a currency',
    path: ['currency'],
  })

export function productRoutes({ products, installations }: ProductDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post(
      '/api/products/create',
      { config: { ...may({ scope: 'products' }), saysSuccess: true }, schema: { body: NewProduct } },
      async (request, reply) => {
        const { installation_id: installationId, name, productType, ...rest } = request.body
        const installation = await installations.find(installationId)
        if (installation?.locationId === undefined) {
          throw new RequestError('INSTALLATION_UNKNOWN', 'There is no such installation of a location', {
            action: 'Look it up with GET /api/ghl/locations.',
          })
        }
        const { locationId } = installation
        request.deed = { locationId, target: installationId }
        requireLocation(request, locationId)
        const { description, price, currency, availableInStore } = rest
        const outcome = await products.create({
          locationId,
          name,
          productType,
          ...(description !== undefined && { description }),
          ...(price !== undefined && { price }),
          ...(currency !== undefined && { currency }),
          ...(availableInStore !== undefined && { availableInStore }),
        })
        const body = answerOf(outcome)
        const { refusal } = outcome
        if (refusal === undefined) return await reply.code(outcome.wasKnown ? 200 : 201).send(body)
        if (refusal.retryAfterMs !== undefined)
          void reply.header('retry-after', String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1_000))))
        return await reply.code(statusFor(refusal)).send(body)
      },
    )
    done()
  }
}

/** GHL's own, except for its own troubles: a 500 of ours would say that they are ours. */
const statusFor = ({ status, code }: ProductRefusal): number =>
  status === undefined || status >= 500 ? statusOf(code) : status

function answerOf({ productId, wasKnown, price, refusal, ghl }: ProductOutcome) {
  const error = refusal && {
    code: refusal.code,
    message: refusal.message,
    action: refusal.action,
    ...(refusal.status !== undefined && { details: { status: refusal.status } }),
  }
  return {
    success: refusal === undefined,
    productId: productId ?? null,
    message: sentence({ productId, wasKnown, price, refusal }),
    // The product's own fields too, as the reference had them: `goHighLevelResponse._id`.
    goHighLevelResponse: { ...objectOf(ghl.product), ...ghl },
    ...(error !== undefined && { error }),
  }
}

const objectOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})

function sentence({ productId, wasKnown, price, refusal }: Omit<ProductOutcome, 'ghl'>): string {
  const isRefused = refusal?.status !== undefined && refusal.status < 500
  const verb = isRefused ? 'refused' : 'failed over'
  if (productId === undefined) return `GHL ${verb} the product: ${refusal?.message ?? ''}`
  if (price === 'refused')
    return `The product exists, but GHL ${verb} its price: ${refusal?.message ?? ''}. Send the same request again after the cure: the product is not made twice.`
  if (wasKnown)
    return price === 'made' ? 'The product existed; its price was added' : 'The product existed already'
  return price === 'none' ? 'Product created' : 'Product created with its price'
}

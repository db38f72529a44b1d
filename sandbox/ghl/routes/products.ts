/** `/products/*`: what a location sells, and the prices of it. */
import { z } from 'zod'
import { type ApiAnswer, type ApiCall, type ApiRoute, checkLocation } from '../api.ts'
import { objectId } from '../ids.ts'
import { refuse } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import type { CatalogueEntry, Price } from '../world.ts'

const text = z.string().optional()
const texts = z.array(z.string()).optional()
const flag = z.boolean().optional()
const flagText = z.enum(['true', 'false']).optional()

const productBody = z.strictObject({
  name: z.string().min(1),
  locationId: z.string().min(1),
  productType: z.enum(['DIGITAL', 'PHYSICAL', 'SERVICE', 'PHYSICAL/DIGITAL']),
  description: text,
  image: text,
  statementDescriptor: text,
  availableInStore: flag,
  medias: z
    .array(
      z.strictObject({
        id: z.string(),
        url: z.string(),
        type: z.enum(['image', 'video']),
        title: text,
        isFeatured: flag,
        priceIds: z.array(z.unknown()).optional(),
      }),
    )
    .optional(),
  variants: z
    .array(
      z.strictObject({
        id: z.string(),
        name: z.string(),
        options: z.array(z.strictObject({ id: z.string(), name: z.string() })),
      }),
    )
    .optional(),
  collectionIds: texts,
  isTaxesEnabled: flag,
  taxes: texts,
  automaticTaxCategoryId: text,
  isLabelEnabled: flag,
  label: z.strictObject({ title: z.string(), startDate: text, endDate: text }).optional(),
  slug: text,
  seo: z.strictObject({ title: text, description: text }).optional(),
  taxInclusive: flag,
})

const priceBody = z.strictObject({
  name: z.string().min(1),
  type: z.enum(['one_time', 'recurring']),
  currency: z.string().min(1),
  amount: z.number().nonnegative(),
  locationId: z.string().min(1),
  recurring: z
    .strictObject({
      interval: z.enum(['day', 'month', 'week', 'year']),
      intervalCount: z.number().int().positive(),
    })
    .optional(),
  description: text,
  membershipOffers: z
    .array(z.strictObject({ label: z.string(), value: z.string(), _id: z.string() }))
    .optional(),
  trialPeriod: z.number().optional(),
  totalCycles: z.number().optional(),
  setupFee: z.number().optional(),
  variantOptionIds: texts,
  compareAtPrice: z.number().optional(),
  userId: text,
  meta: z.unknown().optional(),
  trackInventory: flag,
  availableQuantity: z.number().optional(),
  allowOutOfStockPurchases: flag,
  sku: text,
  shippingOptions: z.unknown().optional(),
  isDigitalProduct: flag,
  digitalDelivery: texts,
})

const paging = {
  limit: z.coerce.number().int().min(0).max(100).default(20),
  offset: z.coerce.number().int().nonnegative().default(0),
}
const productsQuery = z.strictObject({
  ...paging,
  locationId: z.string().min(1),
  search: text,
  collectionIds: text,
  collectionSlug: text,
  expand: z.union([z.string(), texts]),
  productIds: z.union([z.string(), texts]),
  storeId: text,
  includedInStore: flagText,
  availableInStore: flagText,
  sortOrder: z.enum(['asc', 'desc']).default('desc'),
})
const pricesQuery = z.strictObject({ ...paging, locationId: z.string().min(1), ids: text })
const productQuery = z.strictObject({ locationId: z.string().min(1), sendWishlistStatus: flagText })

export function productRoutes(parts: SandboxParts): ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/products/',
      scope: 'products.write',
      caller: 'location',
      handle: (call) => createProduct(parts, call),
    },
    {
      method: 'GET',
      path: '/products/',
      scope: 'products.readonly',
      caller: 'location',
      handle: (call) => listProducts(parts, call),
    },
    {
      method: 'GET',
      path: '/products/:productId',
      scope: 'products.readonly',
      caller: 'location',
      handle(call) {
        const { locationId } = validated(productQuery, call.query)
        checkLocation(call, locationId)
        return { status: 200, body: productJson(productOf(parts, call, locationId)) }
      },
    },
    {
      method: 'POST',
      path: '/products/:productId/price',
      scope: 'products/prices.write',
      caller: 'location',
      handle: (call) => createPrice(parts, call),
    },
    {
      method: 'GET',
      path: '/products/:productId/price',
      scope: 'products/prices.readonly',
      caller: 'location',
      handle: (call) => listPrices(parts, call),
    },
  ]
}

function createProduct({ world }: SandboxParts, call: ApiCall): ApiAnswer {
  const { locationId, ...fields } = validated(productBody, call.body)
  checkLocation(call, locationId)
  const product: CatalogueEntry = { id: objectId(), locationId, fields, createdAt: new Date() }
  world.products.set(product.id, product)
  return { status: 201, body: productJson(product) }
}

function listProducts({ settings, world }: SandboxParts, call: ApiCall): ApiAnswer {
  const query = validated(productsQuery, call.query)
  checkLocation(call, query.locationId)
  const ids = typeof query.productIds === 'string' ? query.productIds.split(',') : query.productIds
  const wanted = query.search?.toLowerCase() ?? ''
  const sign = query.sortOrder === 'asc' ? 1 : -1
  const found = [...world.products.values()]
    .filter(({ locationId }) => locationId === query.locationId)
    .filter(({ id }) => ids?.includes(id) ?? true)
    .filter(({ fields }) => String(fields['name']).toLowerCase().includes(wanted))
    .filter(
      ({ fields }) =>
        query.availableInStore === undefined ||
        (query.availableInStore === 'true') === (fields['availableInStore'] === true),
    )
    .sort((a, b) => sign * (a.createdAt.getTime() - b.createdAt.getTime()))
  const total = { total: found.length }
  return {
    status: 200,
    body: {
      products: pageOf(found, query).map(productJson),
      total: settings.productTotal === 'array' ? [total] : total,
    },
  }
}

function createPrice(parts: SandboxParts, call: ApiCall): ApiAnswer {
  const { locationId, ...fields } = validated(priceBody, call.body)
  checkLocation(call, locationId)
  const product = productOf(parts, call, locationId)
  const price: Price = {
    id: objectId(),
    locationId,
    productId: product.id,
    fields,
    createdAt: new Date(),
  }
  parts.world.prices.set(price.id, price)
  return { status: 201, body: priceJson(price) }
}

function listPrices(parts: SandboxParts, call: ApiCall): ApiAnswer {
  const query = validated(pricesQuery, call.query)
  checkLocation(call, query.locationId)
  const product = productOf(parts, call, query.locationId)
  const ids = query.ids?.split(',')
  const found = [...parts.world.prices.values()].filter(
    ({ id, productId }) => productId === product.id && (ids?.includes(id) ?? true),
  )
  return { status: 200, body: { prices: pageOf(found, query).map(priceJson), total: found.length } }
}

function productOf({ world }: SandboxParts, call: ApiCall, locationId: string): CatalogueEntry {
  const product = world.products.get(call.params['productId'] ?? '')
  if (product?.locationId !== locationId) throw refuse(400, 'Product not found')
  return product
}

/** The published default of `limit` is 0, which stands for "all". */
function pageOf<Entry>(entries: readonly Entry[], { limit, offset }: { limit: number; offset: number }) {
  return entries.slice(offset, limit === 0 ? undefined : offset + limit)
}

function entryJson({ id, locationId, fields, createdAt }: CatalogueEntry): Record<string, unknown> {
  const at = createdAt.toISOString()
  return { ...fields, _id: id, locationId, createdAt: at, updatedAt: at }
}

function productJson(product: CatalogueEntry): Record<string, unknown> {
  return { availableInStore: false, ...entryJson(product) }
}

function priceJson(price: Price): Record<string, unknown> {
  return { ...entryJson(price), product: price.productId }
}

/**
 * `POST /contacts/search`: filters, sorting and two ways of paging over the index. The published description of
 * its body is empty; this is the part of it that a client of the sandbox needs, and the rest is refused by name.
 */
import { z } from 'zod'
import { type ApiAnswer, type ApiCall, type ApiRoute, checkLocation } from '../api.ts'
import { contactJson, contactsOf } from '../contacts.ts'
import { refuseFields } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import type { Contact } from '../world.ts'

const condition = z.strictObject({
  field: z.string().min(1),
  operator: z.enum(['eq', 'not_eq', 'contains', 'not_contains', 'exists', 'not_exists', 'range']),
  value: z.unknown().optional(),
})
type Condition = z.infer<typeof condition>

interface Group {
  group: 'AND' | 'OR'
  filters: (Condition | Group)[]
}

const group: z.ZodType<Group> = z.strictObject({
  group: z.enum(['AND', 'OR']),
  filters: z.array(z.union([condition, z.lazy(() => group)])),
})

const searchBody = z.strictObject({
  locationId: z.string().min(1),
  pageLimit: z.number().int().min(1).max(500),
  page: z.number().int().min(1).optional(),
  searchAfter: z.array(z.unknown()).optional(),
  query: z.string().optional(),
  filters: z.array(z.union([condition, group])).optional(),
  sort: z
    .array(z.strictObject({ field: z.string().min(1), direction: z.enum(['asc', 'desc']) }))
    .max(1)
    .optional(),
})
type SearchBody = z.infer<typeof searchBody>

/** Times are searched as epoch milliseconds or ISO text. */
const range = z.strictObject({
  gt: z.union([z.number(), z.string()]).optional(),
  gte: z.union([z.number(), z.string()]).optional(),
  lt: z.union([z.number(), z.string()]).optional(),
  lte: z.union([z.number(), z.string()]).optional(),
})

export function contactSearchRoutes(parts: SandboxParts): ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/contacts/search',
      scope: 'contacts.readonly',
      caller: 'location',
      handle: (call) => search(parts, call),
    },
  ]
}

function search(parts: SandboxParts, call: ApiCall): ApiAnswer {
  const body = validated(searchBody, call.body)
  checkLocation(call, body.locationId)
  if (body.page !== undefined && body.searchAfter !== undefined) {
    throw refuseFields(['page and searchAfter must not be given together'])
  }
  const isIndexed = (contact: Contact) =>
    Date.now() - contact.dateUpdated.getTime() >= parts.settings.searchLagMs
  const found = contactsOf(parts.world, body.locationId)
    .filter((contact) => isIndexed(contact) && mentions(contact, body.query ?? ''))
    .filter((contact) => holds(contact, { group: 'AND', filters: body.filters ?? [] }))
    .sort(orderOf(body))
  const first = firstOf(body, found)
  const shown = found.slice(first, first + body.pageLimit)
  return {
    status: 200,
    body: {
      contacts: shown.map((contact) => ({ ...contactJson(contact), searchAfter: cursorOf(contact) })),
      total: found.length,
    },
  }
}

function firstOf({ page, pageLimit, searchAfter }: SearchBody, found: readonly Contact[]): number {
  if (searchAfter === undefined) return ((page ?? 1) - 1) * pageLimit
  return found.findIndex(({ id }) => id === searchAfter.at(-1)) + 1
}

function cursorOf(contact: Contact): [number, string] {
  return [contact.dateAdded.getTime(), contact.id]
}

function orderOf({ sort }: SearchBody): (a: Contact, b: Contact) => number {
  const { field, direction } = sort?.[0] ?? { field: 'dateAdded', direction: 'desc' }
  const sign = direction === 'asc' ? 1 : -1
  return (a, b) => sign * textOf(a, field).localeCompare(textOf(b, field)) || a.id.localeCompare(b.id)
}

function holds(contact: Contact, filter: Condition | Group): boolean {
  if ('operator' in filter) return meets(contact, filter)
  const results = filter.filters.map((each) => holds(contact, each))
  return filter.group === 'AND' ? results.every(Boolean) : results.some(Boolean)
}

function meets(contact: Contact, { field, operator, value }: Condition): boolean {
  const own = field === 'tags' ? contact.tags : [textOf(contact, field)].filter(Boolean)
  const wanted = (Array.isArray(value) ? value : [value]).map((each) => String(each).toLowerCase())
  const equals = own.some((each) => wanted.includes(each.toLowerCase()))
  const contains = own.some((each) => wanted.some((part) => each.toLowerCase().includes(part)))
  switch (operator) {
    case 'eq':
      return equals
    case 'not_eq':
      return !equals
    case 'contains':
      return contains
    case 'not_contains':
      return !contains
    case 'exists':
      return own.length > 0
    case 'not_exists':
      return own.length === 0
    case 'range':
      return own.some((each) => isWithin(each, validated(range, value)))
  }
}

function isWithin(text: string, { gt, gte, lt, lte }: z.infer<typeof range>): boolean {
  const at = Date.parse(text)
  const ms = (limit: number | string) => (typeof limit === 'number' ? limit : Date.parse(limit))
  return (
    (gt === undefined || at > ms(gt)) &&
    (gte === undefined || at >= ms(gte)) &&
    (lt === undefined || at < ms(lt)) &&
    (lte === undefined || at <= ms(lte))
  )
}

function mentions(contact: Contact, query: string): boolean {
  const wanted = query.toLowerCase()
  return wanted === '' || Object.values(contact.text).some((value) => value.toLowerCase().includes(wanted))
}

function textOf(contact: Contact, field: string): string {
  const value = contactJson(contact)[field]
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : ''
}

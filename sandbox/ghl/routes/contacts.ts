/** `/contacts/*`: find, create, upsert, update, tag. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type ApiCall, type ApiRoute, checkLocation, locationIdOf } from '../api.ts'
import {
  contactFor,
  contactJson,
  contactsOf,
  createContact,
  deleteContact,
  findDuplicate,
  refuseDuplicate,
  setTags,
  updateContact,
} from '../contacts.ts'
import { refuse } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import type { Contact, Location } from '../world.ts'

const text = z.string().optional()

const dndSetting = z.strictObject({
  status: z.enum(['active', 'inactive', 'permanent']),
  message: text,
  code: text,
})

const changeFields = {
  firstName: text,
  lastName: text,
  name: text,
  email: z.email({ error: 'must be an email' }).optional(),
  phone: z
    .string()
    .regex(/^\+[1-9]\d{6,14}$/)
    .optional(),
  address1: text,
  city: text,
  state: text,
  postalCode: text,
  website: text,
  timezone: text,
  dnd: z.boolean().optional(),
  dndSettings: z
    .strictObject({
      Call: dndSetting.optional(),
      Email: dndSetting.optional(),
      SMS: dndSetting.optional(),
      WhatsApp: dndSetting.optional(),
      GMB: dndSetting.optional(),
      FB: dndSetting.optional(),
    })
    .optional(),
  inboundDndSettings: z
    .strictObject({
      all: z.strictObject({ status: z.enum(['active', 'inactive']), message: text }).optional(),
    })
    .optional(),
  tags: z.array(z.string()).optional(),
  customFields: z
    .array(z.strictObject({ id: z.string().min(1), key: text, field_value: z.unknown().optional() }))
    .optional(),
  source: text,
  dateOfBirth: text,
  country: z.string().length(2).optional(),
  assignedTo: text,
}

const updateBody = z.strictObject(changeFields)
const createBody = z.strictObject({
  ...changeFields,
  locationId: z.string().min(1),
  gender: text,
  companyName: text,
})
const upsertBody = createBody.extend({ createNewIfDuplicateAllowed: z.boolean().optional() })
const tagsBody = z.strictObject({ tags: z.array(z.string()).min(1) })
const duplicateQuery = z.strictObject({ locationId: z.string().min(1), number: text, email: text })
const listQuery = z.strictObject({
  locationId: z.string().min(1),
  query: text,
  limit: z.coerce.number().int().min(1).max(100).default(20),
  startAfterId: text,
  startAfter: text,
})

export function contactRoutes(parts: SandboxParts): ApiRoute[] {
  const { world } = parts
  const named = (call: ApiCall) => contactFor(world, call.params['contactId'] ?? '', locationIdOf(call))
  const isIndexed = (contact: Contact) =>
    Date.now() - contact.dateUpdated.getTime() >= parts.settings.searchLagMs

  return [
    {
      method: 'POST',
      path: '/contacts/upsert',
      scope: 'contacts.write',
      caller: 'location',
      handle(call) {
        const { locationId, createNewIfDuplicateAllowed, ...change } = validated(upsertBody, call.body)
        checkLocation(call, locationId)
        const location = locationFor(parts, locationId)
        const makeAnother = createNewIfDuplicateAllowed === true && location.allowDuplicateContact
        const existing = makeAnother ? undefined : findDuplicate(world, locationId, change)?.contact
        if (existing) updateContact(parts, existing, change)
        const contact = existing ?? createContact(parts, location, change)
        return {
          status: 200,
          body: { new: !existing, contact: contactJson(contact), traceId: randomUUID() },
        }
      },
    },
    {
      method: 'POST',
      path: '/contacts/',
      scope: 'contacts.write',
      caller: 'location',
      handle(call) {
        const { locationId, ...change } = validated(createBody, call.body)
        checkLocation(call, locationId)
        const location = locationFor(parts, locationId)
        const duplicate = findDuplicate(world, locationId, change)
        if (duplicate && !location.allowDuplicateContact) throw refuseDuplicate(duplicate)
        const { name: _, ...shown } = contactJson(createContact(parts, location, change))
        return { status: 201, body: { contact: shown } }
      },
    },
    {
      method: 'GET',
      path: '/contacts/',
      scope: 'contacts.readonly',
      caller: 'location',
      handle(call) {
        const { locationId, query, limit } = validated(listQuery, call.query)
        checkLocation(call, locationId)
        const found = contactsOf(world, locationId).filter(
          (contact) => isIndexed(contact) && (query === undefined || mentions(contact, query)),
        )
        return {
          status: 200,
          body: {
            contacts: found.slice(0, limit).map(listedJson),
            count: found.length,
          },
        }
      },
    },
    {
      method: 'GET',
      path: '/contacts/search/duplicate',
      scope: 'contacts.readonly',
      caller: 'location',
      handle(call) {
        const { locationId, number, email } = validated(duplicateQuery, call.query)
        checkLocation(call, locationId)
        const found = findDuplicate(world, locationId, { phone: number, email })?.contact
        return { status: 200, body: { contact: found && isIndexed(found) ? contactJson(found) : null } }
      },
    },
    {
      method: 'GET',
      path: '/contacts/:contactId',
      scope: 'contacts.readonly',
      caller: 'location',
      handle: (call) => ({ status: 200, body: { contact: contactJson(named(call)) } }),
    },
    {
      method: 'PUT',
      path: '/contacts/:contactId',
      scope: 'contacts.write',
      caller: 'location',
      handle(call) {
        const change = validated(updateBody, call.body)
        const contact = named(call)
        const duplicate = findDuplicate(world, contact.locationId, change, contact.id)
        if (duplicate && !locationFor(parts, contact.locationId).allowDuplicateContact) {
          throw refuseDuplicate(duplicate)
        }
        updateContact(parts, contact, change)
        // `succeded` is their spelling.
        return { status: 200, body: { succeded: true, contact: contactJson(contact) } }
      },
    },
    {
      method: 'DELETE',
      path: '/contacts/:contactId',
      scope: 'contacts.write',
      caller: 'location',
      handle(call) {
        deleteContact(parts, named(call))
        return { status: 200, body: { succeded: true } }
      },
    },
    {
      method: 'POST',
      path: '/contacts/:contactId/tags',
      scope: 'contacts.write',
      caller: 'location',
      handle(call) {
        const { tags } = validated(tagsBody, call.body)
        const contact = named(call)
        setTags(parts, contact, [...contact.tags, ...tags])
        return { status: 201, body: { tags: contact.tags } }
      },
    },
    {
      method: 'DELETE',
      path: '/contacts/:contactId/tags',
      scope: 'contacts.write',
      caller: 'location',
      handle(call) {
        const { tags } = validated(tagsBody, call.body)
        const contact = named(call)
        const gone = new Set(tags.map((tag) => tag.trim().toLowerCase()))
        setTags(
          parts,
          contact,
          contact.tags.filter((tag) => !gone.has(tag)),
        )
        return { status: 200, body: { tags: contact.tags } }
      },
    },
  ]
}

function locationFor(parts: SandboxParts, locationId: string): Location {
  const location = parts.world.locations.get(locationId)
  if (!location) throw refuse(400, `Location with id ${locationId} not found`)
  return location
}

/** The list shows less than a single contact, and the name under another key. */
function listedJson(contact: Contact): Record<string, unknown> {
  const {
    name,
    dateUpdated: _dateUpdated,
    dnd: _dnd,
    dndSettings: _dndSettings,
    type: _type,
    ...shown
  } = contactJson(contact)
  return { ...shown, contactName: name }
}

function mentions(contact: Contact, query: string): boolean {
  const wanted = query.toLowerCase()
  return Object.values(contact.text).some((value) => value.toLowerCase().includes(wanted))
}

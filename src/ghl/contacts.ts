/** GHL contacts by phone number; what people typed into them stays as it is. */
import { z } from 'zod'
import type { GhlContacts } from '../bridge/ports.ts'
import { BridgeError, GhlError } from '../core/errors.ts'
import { type GhlContactId, type LocationId, parseGhlContactId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { phoneVariants } from '../core/phone.ts'
import type { GhlClient } from './client.ts'
import { dialledForm, readPhone } from './phone.ts'
import { refusalError } from './refusals.ts'
import type { Answer } from './transport.ts'

const text = z.string().nullish().catch(undefined)
const contactSchema = z.looseObject({
  id: z.string(),
  name: text,
  contactName: text,
  firstName: text,
  lastName: text,
  phone: text,
})
const answerSchema = z.looseObject({ contact: contactSchema, new: z.boolean().optional().catch(undefined) })
type GhlContact = z.infer<typeof contactSchema>

/** A single message comes bare or wrapped (ghl.md 4.5). */
const messageSchema = z.union([
  z.looseObject({ message: z.looseObject({ contactId: z.string() }) }).transform(({ message }) => message),
  z.looseObject({ contactId: z.string() }),
])

/** Stands for a name that nobody knows; replaced by the person's own when it comes. */
const NAMELESS = 'WhatsApp contact'

export function createContacts(client: GhlClient, log: Log): GhlContacts {
  /** @throws {GhlError} `GHL_CONTACT_NOT_FOUND`. */
  const load = async (locationId: LocationId, id: GhlContactId): Promise<GhlContact | undefined> => {
    const call = { method: 'GET', path: `/contacts/${id}` } as const
    const body = await client.request(locationId, call, 'GHL refused to show the contact')
    return answerSchema.safeParse(body).data?.contact
  }

  const orGone = async <T>(work: Promise<T>): Promise<T | undefined> =>
    await work.catch((thrown: unknown) => {
      if (thrown instanceof GhlError && thrown.code === 'GHL_CONTACT_NOT_FOUND') return undefined
      throw thrown
    })

  const nameOnce = async (
    locationId: LocationId,
    id: GhlContactId,
    name: string | undefined,
  ): Promise<GhlContactId> => {
    if (name === undefined || name.trim() === '') return id
    try {
      const call = { method: 'PUT', path: `/contacts/${id}`, json: { name: name.trim() } } as const
      await client.request(locationId, call, 'GHL refused the name')
    } catch (thrown) {
      // A contact without its name is still the right contact; the message must not wait for it.
      const errorCode = thrown instanceof BridgeError ? thrown.code : 'unknown'
      log.warn({ locationId, errorCode }, 'could not name a new contact')
    }
    return id
  }

  const givePhone = async (
    locationId: LocationId,
    id: GhlContactId,
    phone: string,
  ): Promise<GhlContactId | undefined> => {
    const holder = await findVariant(locationId, phone)
    if (holder !== undefined && holder.id !== id) return parseGhlContactId(holder.id)
    const json = { phone: dialledForm(phone) }
    const { refusal } = await client.send(locationId, { method: 'PUT', path: `/contacts/${id}`, json })
    if (refusal?.duplicateOf !== undefined) return parseGhlContactId(refusal.duplicateOf)
    if (refusal !== undefined) throw refusalError(refusal, 'GHL refused the number')
    return undefined
  }

  /** Only numbers that can be written in several ways are looked up: for the others GHL's own upsert is enough. */
  const findVariant = async (locationId: LocationId, phone: string): Promise<GhlContact | undefined> => {
    const variants = phoneVariants(phone)
    for (const number of variants.length > 0 ? [phone, ...variants] : []) {
      const query = { locationId, number }
      const path = '/contacts/search/duplicate'
      const body = await client.request(locationId, { method: 'GET', path, query }, 'GHL refused the look-up')
      const found = answerSchema.safeParse(body).data
      if (found !== undefined) return found.contact
    }
    return undefined
  }

  return {
    async findOrCreate(locationId, phone, name) {
      if (phone === undefined) {
        // Nothing identifies such a contact, so the name goes in at once; GHL wants at least that.
        const json = { locationId, name: name?.trim() || NAMELESS }
        return created(await client.send(locationId, { method: 'POST', path: '/contacts/', json })).id
      }
      const variant = await findVariant(locationId, phone)
      if (variant !== undefined) {
        const id = parseGhlContactId(variant.id)
        return isNameless(variant) ? await nameOnce(locationId, id, name) : id
      }
      const json = { locationId, phone: dialledForm(phone) }
      const contact = created(
        await client.send(locationId, { method: 'POST', path: '/contacts/upsert', json, idempotent: true }),
      )
      return contact.needsName ? await nameOnce(locationId, contact.id, name) : contact.id
    },

    async findPhone(locationId, contact, near) {
      return readPhone((await orGone(load(locationId, contact)))?.phone, near)
    },

    async complete(locationId, contact, { phone, name }) {
      const now = await load(locationId, contact)
      if (name !== undefined && (now === undefined || isNameless(now)))
        await nameOnce(locationId, contact, name)
      if (phone === undefined || (now?.phone ?? '').trim() !== '') return {}
      const phoneHolder = await givePhone(locationId, contact, phone)
      return phoneHolder === undefined ? {} : { phoneHolder }
    },

    async findSurvivor(locationId, message) {
      const call = { method: 'GET', path: `/conversations/messages/${message}` } as const
      const { body, refusal } = await client.send(locationId, call)
      if (refusal !== undefined) {
        if (refusal.status === 400 || refusal.status === 404) return undefined
        throw refusalError(refusal, 'GHL refused to show the message')
      }
      const found = messageSchema.safeParse(body).data
      if (found === undefined) return undefined
      const contact = parseGhlContactId(found.contactId)
      return (await orGone(load(locationId, contact))) === undefined ? undefined : contact
    },

    async exists(locationId, contact) {
      return (await orGone(load(locationId, contact))) !== undefined
    },
  }
}

function created({ body, refusal }: Answer): { id: GhlContactId; needsName: boolean } {
  // The location allows no duplicates and has the contact: GHL says which one it is.
  if (refusal?.duplicateOf !== undefined)
    return { id: parseGhlContactId(refusal.duplicateOf), needsName: false }
  if (refusal !== undefined) throw refusalError(refusal, 'GHL refused the contact')
  const answer = answerSchema.safeParse(body).data
  if (answer === undefined) {
    throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without a contact', { certainty: 'unknown' })
  }
  const { contact } = answer
  return { id: parseGhlContactId(contact.id), needsName: answer.new === true || isNameless(contact) }
}

function isNameless({ name, contactName, firstName, lastName }: GhlContact): boolean {
  const shown = [name ?? contactName, `${firstName ?? ''} ${lastName ?? ''}`].map((part) =>
    (part ?? '').trim(),
  )
  return shown.every((part) => part === '' || part.toLowerCase() === NAMELESS.toLowerCase())
}

/** GHL contacts by phone number; what people typed into them stays as it is. */
import { z } from 'zod'
import type { GhlContacts } from '../bridge/ports.ts'
import { BridgeError, GhlError } from '../core/errors.ts'
import { type GhlContactId, type LocationId, parseGhlContactId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { GhlClient } from './client.ts'
import { e164 } from './payloads.ts'
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

export function createContacts(client: GhlClient, log: Log): GhlContacts {
  const nameOnce = async (
    locationId: LocationId,
    id: GhlContactId,
    name: string | undefined,
  ): Promise<GhlContactId> => {
    if (name === undefined || name.trim() === '') return id
    try {
      const path = `/contacts/${id}`
      await client.request(
        locationId,
        { method: 'PUT', path, json: { name: name.trim() } },
        'GHL refused the name',
      )
    } catch (thrown) {
      // A contact without its name is still the right contact; the message must not wait for it.
      const errorCode = thrown instanceof BridgeError ? thrown.code : 'unknown'
      log.warn({ locationId, errorCode }, 'could not name a new contact')
    }
    return id
  }

  const findVariant = async (locationId: LocationId, phone: string): Promise<GhlContactId | undefined> => {
    const variants = phoneVariants(phone)
    for (const number of variants.length > 0 ? [phone, ...variants] : []) {
      const query = { locationId, number }
      const path = '/contacts/search/duplicate'
      const body = await client.request(locationId, { method: 'GET', path, query }, 'GHL refused the look-up')
      const found = answerSchema.safeParse(body).data
      if (found !== undefined) return parseGhlContactId(found.contact.id)
    }
    return undefined
  }

  return {
    async findOrCreate(locationId, phone, name) {
      if (phone === undefined) {
        // Nothing identifies such a contact, so the name goes in at once; GHL wants at least that.
        const json = { locationId, name: name?.trim() || 'WhatsApp contact' }
        return created(await client.send(locationId, { method: 'POST', path: '/contacts/', json })).id
      }
      const variant = await findVariant(locationId, phone)
      if (variant !== undefined) return variant
      const json = { locationId, phone }
      const contact = created(
        await client.send(locationId, { method: 'POST', path: '/contacts/upsert', json, idempotent: true }),
      )
      return contact.needsName ? await nameOnce(locationId, contact.id, name) : contact.id
    },

    async findPhone(locationId, contact) {
      try {
        const path = `/contacts/${contact}`
        const body = await client.request(
          locationId,
          { method: 'GET', path },
          'GHL refused to show the contact',
        )
        return e164(answerSchema.safeParse(body).data?.contact.phone)
      } catch (thrown) {
        if (thrown instanceof GhlError && thrown.code === 'GHL_CONTACT_NOT_FOUND') return undefined
        throw thrown
      }
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

const isNameless = ({ name, contactName, firstName, lastName }: GhlContact): boolean =>
  [name, contactName, firstName, lastName].every((part) => (part ?? '').trim() === '')

/**
 * Other ways to write the same mobile number, where WhatsApp's form and the dialled one differ: Brazil with and without
 * the ninth digit, Mexico 52 and 521, Argentina 54 and 549.
 */
export function phoneVariants(phone: string): string[] {
  const brazil = /^\+55(\d{2})(9?)(\d{8})$/.exec(phone)
  if (brazil) return [brazil[2] === '9' ? `+55${brazil[1]}${brazil[3]}` : `+55${brazil[1]}9${brazil[3]}`]
  const mexico = /^\+52(1?)(\d{10})$/.exec(phone)
  if (mexico) return [mexico[1] === '1' ? `+52${mexico[2]}` : `+521${mexico[2]}`]
  const argentina = /^\+54(9?)(\d{10})$/.exec(phone)
  if (argentina) return [argentina[1] === '9' ? `+54${argentina[2]}` : `+549${argentina[2]}`]
  return []
}

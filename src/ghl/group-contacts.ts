/** The names of contacts that stand for groups. */
import { z } from 'zod'
import type { GroupContacts } from '../bridge/groups.ts'
import { GhlError } from '../core/errors.ts'
import type { GhlClient } from './client.ts'

const text = z.string().nullish().catch(undefined)
const answerSchema = z.looseObject({
  contact: z.looseObject({ name: text, contactName: text, firstName: text, lastName: text }),
})

export function createGroupContacts(client: GhlClient): GroupContacts {
  return {
    async rename(locationId, contact, from, to) {
      const path = `/contacts/${contact}`
      try {
        const shown = await client.request(
          locationId,
          { method: 'GET', path },
          'GHL refused to show the contact',
        )
        if (!isCalled(shown, from)) return false
        const call = { method: 'PUT', path, json: { name: to } } as const
        await client.request(locationId, call, 'GHL refused the name')
        return true
      } catch (thrown) {
        if (thrown instanceof GhlError && thrown.code === 'GHL_CONTACT_NOT_FOUND') return false
        throw thrown
      }
    },
  }
}

/** GHL splits names, and changes capitals in some of their forms. */
function isCalled(body: unknown, name: string): boolean {
  const contact = answerSchema.safeParse(body).data?.contact
  const { firstName, lastName } = contact ?? {}
  const forms = [contact?.name, contact?.contactName, [firstName, lastName].filter(Boolean).join(' ')]
  return forms.some((form) => plain(form ?? '') === plain(name))
}

const plain = (name: string): string => name.replaceAll(/\s+/g, ' ').trim().toLowerCase()

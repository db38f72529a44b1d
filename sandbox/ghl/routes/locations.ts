/** `/locations/*`, read side. */
import { z } from 'zod'
import type { ApiCall, ApiRoute } from '../api.ts'
import { refuse } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import type { Location } from '../world.ts'

const searchQuery = z.strictObject({
  companyId: z.string().optional(),
  skip: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(100).default(10),
  order: z.enum(['asc', 'desc']).default('asc'),
  email: z.string().optional(),
})

export function locationRoutes(parts: SandboxParts): ApiRoute[] {
  const { world } = parts
  return [
    {
      method: 'GET',
      path: '/locations/search',
      scope: 'locations.readonly',
      caller: 'any',
      handle(call) {
        const { skip, limit, order } = validated(searchQuery, call.query)
        const visible = [...world.locations.values()].filter((location) => canSee(call, location))
        const sorted = visible.sort((a, b) => (order === 'asc' ? 1 : -1) * a.name.localeCompare(b.name))
        return { status: 200, body: { locations: sorted.slice(skip, skip + limit).map(locationJson) } }
      },
    },
    {
      method: 'GET',
      path: '/locations/:locationId',
      scope: 'locations.readonly',
      caller: 'any',
      handle(call) {
        const location = world.locations.get(call.params['locationId'] ?? '')
        if (!location || !canSee(call, location)) {
          throw refuse(403, 'The token does not have access to this location.')
        }
        return { status: 200, body: { location: locationJson(location) } }
      },
    },
  ]
}

function canSee({ caller }: ApiCall, location: Location): boolean {
  return caller.authClass === 'Company'
    ? location.companyId === caller.companyId
    : location.id === caller.locationId
}

function locationJson(location: Location): Record<string, unknown> {
  const place = {
    address: '1 Sandbox Street',
    city: 'Testville',
    country: location.country,
    timezone: location.timezone,
  }
  return {
    id: location.id,
    companyId: location.companyId,
    name: location.name,
    ...place,
    state: '',
    postalCode: '',
    website: '',
    domain: '',
    logoUrl: '',
    email: 'owner@example.com',
    phone: '',
    firstName: 'Sandbox',
    lastName: 'Owner',
    business: { name: location.name, ...place },
    social: {},
    settings: {
      allowDuplicateContact: location.allowDuplicateContact,
      allowDuplicateOpportunity: false,
      allowFacebookNameMerge: false,
      disableContactTimezone: false,
    },
    reseller: {},
  }
}

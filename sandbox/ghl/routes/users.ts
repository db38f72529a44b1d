/** `/users/*`, read side: who works in a location. */
import { z } from 'zod'
import { type ApiCall, type ApiRoute, checkLocation } from '../api.ts'
import { refuse } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import type { User } from '../world.ts'

const text = z.string().optional()
const listQuery = z.strictObject({ locationId: z.string().min(1) })
const searchQuery = z.strictObject({
  companyId: z.string().min(1),
  query: text,
  skip: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(100).default(25),
  locationId: text,
  type: z.enum(['agency', 'account']).optional(),
  role: z.enum(['admin', 'user']).optional(),
  ids: text,
  sort: text,
  sortDirection: z.enum(['asc', 'desc']).optional(),
  enabled2waySync: z.enum(['true', 'false']).optional(),
})
type SearchQuery = z.infer<typeof searchQuery>

export function userRoutes({ world }: SandboxParts): ApiRoute[] {
  const scope = 'users.readonly'
  return [
    {
      method: 'GET',
      path: '/users/',
      scope,
      caller: 'location',
      handle(call) {
        const { locationId } = validated(listQuery, call.query)
        checkLocation(call, locationId)
        const users = [...world.users.values()].filter((user) => isIn(user, locationId))
        return { status: 200, body: { users: users.map(listedJson) } }
      },
    },
    {
      method: 'GET',
      path: '/users/search',
      scope,
      caller: 'any',
      handle(call) {
        const query = validated(searchQuery, call.query)
        if (query.companyId !== call.caller.companyId) {
          throw refuse(403, 'The token does not have access to this company.')
        }
        const found = [...world.users.values()].filter(
          (user) => isVisible(user, call) && isWanted(user, query),
        )
        const shown = found.slice(query.skip, query.skip + query.limit).map(listedJson)
        return { status: 200, body: { users: shown, count: found.length } }
      },
    },
    {
      method: 'GET',
      path: '/users/:userId',
      scope,
      caller: 'any',
      handle(call) {
        const user = world.users.get(call.params['userId'] ?? '')
        if (!user || !isVisible(user, call)) throw refuse(400, 'User not found')
        return { status: 200, body: userJson(user) }
      },
    },
  ]
}

function isIn(user: User, locationId: string): boolean {
  return user.type === 'agency' || user.locationIds.includes(locationId)
}

function isVisible(user: User, { caller }: ApiCall): boolean {
  return caller.locationId === undefined || isIn(user, caller.locationId)
}

function isWanted(user: User, query: SearchQuery): boolean {
  const words = `${user.firstName} ${user.lastName} ${user.email}`.toLowerCase()
  return (
    words.includes(query.query?.toLowerCase() ?? '') &&
    (query.locationId === undefined || isIn(user, query.locationId)) &&
    (query.type === undefined || user.type === query.type) &&
    (query.role === undefined || user.role === query.role) &&
    (query.ids === undefined || query.ids.split(',').includes(user.id))
  )
}

function userJson(user: User): Record<string, unknown> {
  return {
    id: user.id,
    name: `${user.firstName} ${user.lastName}`.trim(),
    firstName: user.firstName,
    lastName: user.lastName,
    email: user.email,
    phone: user.phone,
    extension: '',
    roles: { type: user.type, role: user.role, locationIds: user.locationIds },
  }
}

function listedJson(user: User): Record<string, unknown> {
  return { ...userJson(user), deleted: false }
}

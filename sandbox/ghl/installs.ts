/**
 * Installing, updating and removing the app: which locations have it, the grants that come of it, and the events
 * it sends. An event leaves at once, so it may arrive before the code has been exchanged; a bulk install sends one
 * per location, in any order, and its token answer never names them.
 */
import { emitEvent, type SandboxParts } from './sandbox-parts.ts'
import type { Grant } from './tokens.ts'
import { announce, type Location } from './world.ts'

export function installInLocation(parts: SandboxParts, location: Location): void {
  markInstalled(parts, location)
  void emitEvent(parts, 'INSTALL', location.id, {
    installType: 'Location',
    ...installerOf(parts),
    ...planOf(parts),
  })
}

/**
 * Installs in many locations at once, as an agency does from its own view.
 *
 * @param toFutureLocations Locations that are added later get the app without anyone asking.
 */
export function installInBulk(
  parts: SandboxParts,
  locations: readonly Location[],
  toFutureLocations: boolean,
): void {
  parts.world.agencyInstall.toFutureLocations = toFutureLocations
  parts.world.agencyInstall.versionId = parts.app.versionId
  const inOrder = parts.settings.bulkOrder === 'random' ? shuffled(locations) : locations
  for (const location of inOrder) installInLocation(parts, location)
}

/** What happens to a location that is added while the agency has agreed to future ones. */
export function installInNewLocation(parts: SandboxParts, location: Location): void {
  if (!parts.world.agencyInstall.toFutureLocations) return
  markInstalled(parts, location)
  void emitEvent(parts, 'INSTALL', location.id, {
    installType: 'Location',
    ...(parts.settings.futureInstallIsAnonymous ? {} : installerOf(parts)),
    ...planOf(parts),
  })
}

/** Moves a location to the published version of the app. */
export function updateInLocation(parts: SandboxParts, location: Location): void {
  const previousVersionId = location.versionId
  location.versionId = parts.app.versionId
  announce(parts.world, { kind: 'location', locationId: location.id })
  void emitEvent(parts, 'UPDATE', location.id, {
    companyId: location.companyId,
    userId: parts.world.userId,
    planId: parts.world.planId,
    previousVersionId,
  })
}

/** Removes the app from a location: its tokens die, and the app is told. */
export function uninstallFromLocation(parts: SandboxParts, location: Location): void {
  markRemoved(parts, location)
  void emitEvent(parts, 'UNINSTALL', location.id, {})
}

/** Removes the app from the agency and from all its locations; one event names the company only. */
export function uninstallFromCompany(parts: SandboxParts): void {
  const { world } = parts
  world.agencyInstall.toFutureLocations = false
  for (const location of world.locations.values()) markRemoved(parts, location)
  parts.tokens.expireAccess(() => true)
  parts.tokens.revokeRefresh(() => true)
  void emitEvent(parts, 'UNINSTALL', undefined, { companyId: world.companyId })
}

export function locationGrant(parts: SandboxParts, location: Location, scopes: readonly string[]): Grant {
  return {
    authClass: 'Location',
    companyId: location.companyId,
    locationId: location.id,
    userId: parts.world.userId,
    scopes,
    isBulkInstallation: false,
  }
}

/** What an agency user gets: no location, to be exchanged for one location token each. */
export function companyGrant(parts: SandboxParts, scopes: readonly string[]): Grant {
  return {
    authClass: 'Company',
    companyId: parts.world.companyId,
    locationId: undefined,
    userId: parts.world.userId,
    scopes,
    isBulkInstallation: true,
  }
}

function markInstalled({ app, world }: SandboxParts, location: Location): void {
  location.installedAt ??= new Date()
  location.versionId = app.versionId
  announce(world, { kind: 'location', locationId: location.id })
}

function markRemoved({ tokens, world }: SandboxParts, location: Location): void {
  location.installedAt = undefined
  location.versionId = undefined
  const isItsOwn = (grant: Grant) => grant.locationId === location.id
  tokens.expireAccess(isItsOwn)
  tokens.revokeRefresh(isItsOwn)
  announce(world, { kind: 'location', locationId: location.id })
}

function installerOf({ world }: SandboxParts): Record<string, unknown> {
  return { companyId: world.companyId, userId: world.userId }
}

function planOf({ settings, world }: SandboxParts): Record<string, unknown> {
  return {
    planId: world.planId,
    trial: { onTrial: false },
    companyName: world.companyName,
    isWhitelabelCompany: settings.whitelabel !== null,
    whitelabelDetails: settings.whitelabel ?? {},
  }
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}

/** Installing and removing the app: which locations have it, the grants that come of it, the events it sends. */
import { emitEvent, type SandboxParts } from './sandbox-parts.ts'
import type { Grant } from './tokens.ts'
import { announce, type Location } from './world.ts'

/** Installs the app in one location; the event leaves now, perhaps before the code is exchanged. */
export function installInLocation(parts: SandboxParts, location: Location): void {
  location.installedAt ??= new Date()
  announce(parts.world, { kind: 'location', locationId: location.id })
  void emitEvent(parts, 'INSTALL', location.id, {
    installType: 'Location',
    companyId: parts.world.companyId,
    userId: parts.world.userId,
    planId: parts.world.planId,
    companyName: parts.world.companyName,
    isWhitelabelCompany: false,
    whitelabelDetails: {},
  })
}

/** Removes the app from a location: its tokens die, and the app is told. */
export function uninstallFromLocation(parts: SandboxParts, location: Location): void {
  location.installedAt = undefined
  const isItsOwn = (grant: Grant) => grant.locationId === location.id
  parts.tokens.expireAccess(isItsOwn)
  parts.tokens.revokeRefresh(isItsOwn)
  announce(parts.world, { kind: 'location', locationId: location.id })
  void emitEvent(parts, 'UNINSTALL', location.id, { companyId: parts.world.companyId })
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

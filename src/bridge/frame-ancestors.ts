/** Who may show our pages in a frame. */
import type { LocationId } from '../core/ids.ts'
import type { InstallationStore } from './installations.ts'

/** From integrators: GHL publishes no list. @see ghl.md 9 */
const GHL_ORIGINS = [
  'https://app.gohighlevel.com',
  'https://*.gohighlevel.com',
  'https://*.leadconnectorhq.com',
  'https://*.msgsndr.com',
] as const
/** A header of some 8 KB is as much as proxies let through. */
const MOST_DOMAINS = 200

/**
 * The origins for `frame-ancestors`: GHL's own, the configured ones, and the white-label domain of the location's agency.
 * A page that does not know its location yet (the person is known only after it has loaded) takes all known domains.
 *
 * @param configured GHL_FRAME_ANCESTORS.
 */
export async function frameAncestors(
  installations: Pick<InstallationStore, 'whiteLabelDomains'>,
  configured: readonly string[],
  locationId?: LocationId,
): Promise<readonly string[]> {
  const domains = await installations.whiteLabelDomains(locationId)
  const tenants = domains.slice(0, MOST_DOMAINS).map((domain) => `https://${domain}`)
  return [...new Set([...GHL_ORIGINS, ...configured, ...tenants])]
}

/** Where in the console we are: the part after the address's `#`, so that the browser's own buttons work. */
import { useEffect, useState } from 'preact/hooks'

export const PLACES = [
  'locations',
  'messages',
  'figures',
  'syncs',
  'events',
  'audit',
  'keys',
  'setup',
] as const
export type Place = (typeof PLACES)[number]

export interface Route {
  readonly place: Place
  /** The location that is opened. */
  readonly locationId?: string
}

export const linkTo = (place: Place, locationId?: string): string =>
  locationId === undefined ? `#/${place}` : `#/${place}/${encodeURIComponent(locationId)}`

function routeOf(hash: string): Route {
  const [, name = '', id = ''] = hash.split('/')
  const place = PLACES.find((each) => each === name) ?? 'locations'
  return id === '' ? { place } : { place, locationId: decodeURIComponent(id) }
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const moved = () => setHash(location.hash)
    addEventListener('hashchange', moved)
    return () => removeEventListener('hashchange', moved)
  }, [])
  return routeOf(hash)
}

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
  /** The location that is opened, or that a list is about. */
  readonly locationId?: string
}

/** How the wall was left: search, filters, page. Whoever comes back to it finds it so. */
let wallQuery = ''

export const linkTo = (place: Place, locationId?: string): string => {
  if (locationId !== undefined) return `#/${place}/${encodeURIComponent(locationId)}`
  return place === 'locations' && wallQuery !== '' ? `#/locations?${wallQuery}` : `#/${place}`
}

function routeOf(hash: string): Route {
  const [path = ''] = hash.split('?')
  const [, name = '', id = ''] = path.split('/')
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

export type WallView = Readonly<Record<'search' | 'health' | 'numbers' | 'cursors', string>>

/** The wall's part of the address, and how it is changed; the browser's history gets no step of it. */
export function useWallView(): [WallView, (change: Partial<WallView>) => void] {
  const [view, setView] = useState(() => {
    const query = new URLSearchParams(location.hash.split('?')[1])
    const read = (name: string) => query.get(name) ?? ''
    return {
      search: read('search'),
      health: read('health'),
      numbers: read('numbers'),
      cursors: read('cursors'),
    }
  })
  const change = (changed: Partial<WallView>) => {
    setView((before) => ({ ...before, ...changed }))
  }
  useEffect(() => {
    const query = new URLSearchParams(Object.entries(view).filter(([, value]) => value !== ''))
    wallQuery = query.toString()
    history.replaceState(null, '', linkTo('locations'))
  }, [view])
  return [view, change]
}

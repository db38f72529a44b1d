/** People know locations by name. */
import { useEffect, useState } from 'preact/hooks'
import { type Api, got } from '../api/client.ts'

/** Each is asked for once. */
export function useNames(api: Api, locations: readonly string[]): ReadonlyMap<string, string> {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map())
  const unknown = [...new Set(locations)].filter((id) => !names.has(id))
  useEffect(() => {
    if (unknown.length === 0) return
    const ask = async (locationId: string): Promise<[string, string]> => {
      const { locations } = await got(api.GET('/api/ghl/locations', { params: { query: { locationId } } }))
      return [locationId, locations[0]?.name ?? locationId]
    }
    Promise.all(unknown.map(ask)).then(
      (found) => setNames((before) => new Map([...before, ...found])),
      // Its id says which it is, too.
      () => undefined,
    )
  }, [unknown.join(' ')])
  return names
}

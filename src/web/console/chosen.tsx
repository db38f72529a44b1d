/** The locations that are ticked, read now: what they were when they were ticked may be long over. */
import type { ComponentChildren } from 'preact'
import { got } from '../api/client.ts'
import { Shown } from './parts.tsx'
import type { Location } from './shapes.ts'
import { useConsole, useLoaded } from './use-console.ts'

/** The server is asked for so many at a time. */
const AT_ONCE = 8

export function ChosenLocations({
  children,
}: {
  children(locations: readonly Location[]): ComponentChildren
}) {
  const { api, chosen } = useConsole()
  const found = useLoaded(async () => {
    const ids = [...chosen]
    const locations: Location[] = []
    while (ids.length > 0) {
      const answers = await Promise.all(
        ids
          .splice(0, AT_ONCE)
          .map((locationId) => got(api.GET('/api/ghl/locations', { params: { query: { locationId } } }))),
      )
      locations.push(...answers.flatMap((answer) => answer.locations))
    }
    return locations
  }, [api, chosen])
  return (
    <Shown of={found} isEmpty={() => false} empty="">
      {children}
    </Shown>
  )
}

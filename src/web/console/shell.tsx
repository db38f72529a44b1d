import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Login } from '../api/client.ts'
import { Frame } from '../parts/frame.tsx'
import { useTabTitle, useWords } from '../words/spoken.tsx'
import { Audit } from './audit.tsx'
import { Events } from './events.tsx'
import { Figures } from './figures.tsx'
import { Keys } from './keys.tsx'
import { Letters } from './letters.tsx'
import { OneLocation } from './one-location.tsx'
import { linkTo, PLACES, type Place, type Route, useRoute } from './routes.ts'
import { Setup } from './setup.tsx'
import { Syncs } from './syncs.tsx'
import { ConsoleContext, useLiveConsole } from './use-console.ts'
import { Wall } from './wall.tsx'

const PARTS = {
  locations: Wall,
  messages: Letters,
  figures: Figures,
  syncs: Syncs,
  events: Events,
  audit: Audit,
  keys: Keys,
  setup: Setup,
} as const

/** The same for one location, where there is such a thing. */
const OF_ONE: Readonly<Record<Place, (props: { locationId: string }) => ComponentChildren>> = {
  ...PARTS,
  locations: OneLocation,
}

/** Everything behind the way in. */
export function Shell({ login }: { login: Login }) {
  const { say } = useWords()
  const live = useLiveConsole(login)
  const route = useRoute()
  const here = useRef<HTMLAnchorElement>(null)
  const content = useRef<HTMLElement>(null)
  useEffect(() => {
    // On a phone the row of places is longer than the screen.
    here.current?.scrollIntoView({ block: 'nearest', inline: 'center' })
    // Whoever does not see the page hears where he is now: after the way in, whose field is gone, and after each step.
    content.current?.focus({ preventScroll: true })
  }, [route.place, route.locationId])
  const placeName = say(`console.place.${route.place}`)
  useTabTitle(`${placeName} · ${say('console.title')}`)
  return (
    <ConsoleContext.Provider value={live}>
      <Frame title={say('console.title')} link={live.link}>
        <nav class="places" aria-label={say('console.places')}>
          {PLACES.map((place) => (
            <a
              key={place}
              ref={place === route.place ? here : null}
              href={linkTo(place)}
              aria-current={place === route.place ? 'page' : undefined}
            >
              {say(`console.place.${place}`)}
            </a>
          ))}
          <button type="button" class="quiet" onClick={() => location.reload()}>
            {say('console.leave')}
          </button>
        </nav>
        <section ref={content} class="part" tabIndex={-1} aria-label={placeName}>
          <Part {...route} />
        </section>
      </Frame>
    </ConsoleContext.Provider>
  )
}

function Part({ place, locationId }: Route) {
  if (locationId === undefined) {
    const Here = PARTS[place]
    return <Here />
  }
  const OfOne = OF_ONE[place]
  return <OfOne key={locationId} locationId={locationId} />
}

/** Everything the location page shows, live: numbers as they are, messages read again whenever something moved. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type Api, createApi, type Get, got, type Login, type Session } from '../api/client.ts'
import type { Failure } from '../api/failure.ts'
import { follow, type Link } from '../live/follow.ts'
import { createLooks, type Looks } from '../live/looks.ts'
import { type Mail, NOTHING_MORE, readMail, type Shown } from './mail.ts'

/** Backstop for hints that were not heard. */
const LOOK_MS = 30_000
/** A busy location hints all the time, and its people must not use up their own calls. */
const LOOK_EVERY_MS = 2_500

/** The installation, as far as its owner is concerned. */
export type Place = Get<'/api/ghl/locations'>['locations'][number]

export interface LocationState {
  readonly api: Api
  readonly link: Link
  /** The server wants to tell nothing more of this location. */
  readonly refusal: Failure | undefined
  readonly place: Place | undefined
  readonly sessions: readonly Session[] | undefined
  readonly mail: Mail | undefined
  /** Reads the messages again now: something was done to one. */
  look(): Promise<void>
}

export function useLocation(locationId: string, login: Login): LocationState {
  const api = useMemo(() => createApi(login), [login])
  const [link, setLink] = useState<Link>('opening')
  const [refusal, setRefusal] = useState<Failure>()
  const [place, setPlace] = useState<Place>()
  const [sessions, setSessions] = useState<readonly Session[]>()
  const [mail, setMail] = useState<Mail>()
  const shown = useRef<Shown>(NOTHING_MORE)
  const looks = useRef<Looks>(undefined)

  useEffect(() => {
    const more = async (list: keyof Shown): Promise<void> => {
      shown.current = { ...shown.current, [list]: Math.min(200, shown.current[list] + 40) }
      await looks.current?.now()
    }
    looks.current = createLooks(async () => {
      setMail(await readMail(api, locationId, shown.current, more))
    }, LOOK_EVERY_MS)
    const mine = looks.current
    // What failed is made up for by the next look; the page says itself when the connection is gone.
    const readPlace = () =>
      void got(api.GET('/api/ghl/locations', { params: { query: { locationId } } })).then(
        ({ locations }) => setPlace(locations[0]),
        () => undefined,
      )
    readPlace()
    mine.soon()
    const timer = setInterval(() => {
      if (document.visibilityState !== 'visible') return
      mine.soon()
      readPlace()
    }, LOOK_MS)
    const unfollow = follow(`/ghl/location/${locationId}/events`, {
      headers: async () => ({ authorization: `Bearer ${await login.bearer()}` }),
      renew: () => login.renew(),
      onEvent: (event, data) => {
        if (event === 'sessions')
          setSessions((data as { sessions: Session[] }).sessions) // the route's own shape
        else mine.soon()
      },
      onLink: (next) => {
        setLink(next)
        if (next === 'live') mine.soon()
      },
      onRefused: setRefusal,
    })
    return () => {
      clearInterval(timer)
      mine.end()
      unfollow()
    }
  }, [api, locationId, login])
  const look = useCallback(async () => {
    await looks.current?.now()
  }, [])
  return { api, link, refusal, place, sessions, mail, look }
}

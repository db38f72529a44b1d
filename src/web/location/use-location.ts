/** Everything the location page shows, live: numbers as they are, messages read again whenever something moved. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type Api, createApi, type Get, got, type Login, type Session } from '../api/client.ts'
import { Failure } from '../api/failure.ts'
import { follow, type Link } from '../live/follow.ts'
import { createLooks, type Looks } from '../live/looks.ts'
import { callsFor, type Mail, moreThan, NOTHING_MORE, readMail, type Shown } from './mail.ts'

/** Backstop for hints that were not heard. */
const LOOK_MS = 30_000
/** A busy location hints all the time, and its people must not use up their own calls: looks take half of them at most. */
const LOOK_EVERY_MS = 2_500
const CALL_EVERY_MS = 200

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
  /** Why the server did not give the messages when they were last read: `mail` is older than that. */
  readonly mailRefusal: Failure | undefined
  /** Follows it again after a refusal. */
  again(): void
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
  const [mailRefusal, setMailRefusal] = useState<Failure>()
  const [attempt, setAttempt] = useState(0)
  const shown = useRef<Shown>(NOTHING_MORE)
  const looks = useRef<Looks>(undefined)

  useEffect(() => {
    const more = async (list: keyof Shown): Promise<void> => {
      shown.current = { ...shown.current, [list]: moreThan(shown.current[list]) }
      await looks.current?.now()
    }
    looks.current = createLooks(
      async () => {
        try {
          setMail(await readMail(api, locationId, shown.current, more))
          setMailRefusal(undefined)
        } catch (thrown) {
          // A connection that is gone is said once for the whole page.
          if (thrown instanceof Failure) setMailRefusal(thrown)
          throw thrown
        }
      },
      () => Math.max(LOOK_EVERY_MS, CALL_EVERY_MS * callsFor(shown.current)),
    )
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
      login,
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
  }, [api, locationId, login, attempt])
  const again = useCallback(() => {
    setRefusal(undefined)
    setAttempt((before) => before + 1)
  }, [])
  const look = useCallback(async () => {
    await looks.current?.now()
  }, [])
  return { api, link, refusal, place, sessions, mail, mailRefusal, again, look }
}

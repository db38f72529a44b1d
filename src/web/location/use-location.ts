/** Everything the location page shows, live: numbers as they are, messages read again whenever something moved. */
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import {
  type Api,
  createApi,
  got,
  type Ledger,
  type Login,
  type Message,
  type Session,
} from '../api/client.ts'
import { follow, type Link } from '../live/follow.ts'

/** Backstop for hints that were not heard. */
const LOOK_MS = 15_000
const SHOWN = 50

export interface Mail {
  /** By the clock of the location. */
  readonly today: Ledger
  /** Failed and held: what waits for a person. */
  readonly needed: readonly Message[]
  readonly waiting: readonly Message[]
  readonly latest: readonly Message[]
}

export interface LocationState {
  readonly api: Api
  readonly link: Link
  readonly sessions: readonly Session[] | undefined
  readonly mail: Mail | undefined
  /** Reads the messages again now: something was done to one. */
  look(): Promise<void>
}

export function useLocation(locationId: string, login: Login): LocationState {
  const api = useMemo(() => createApi(login), [login])
  const [link, setLink] = useState<Link>('opening')
  const [sessions, setSessions] = useState<readonly Session[]>()
  const [mail, setMail] = useState<Mail>()
  const look = useCallback(async () => {
    setMail(await readMail(api, locationId))
  }, [api, locationId])

  useEffect(() => {
    // What failed is made up for by the next look; the page says itself when the connection is gone.
    const quietly = () => void look().catch(() => undefined)
    quietly()
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') quietly()
    }, LOOK_MS)
    const unfollow = follow(`/ghl/location/${locationId}/events`, {
      headers: async () => ({ authorization: `Bearer ${await login.bearer()}` }),
      onEvent: (event, data) => {
        if (event === 'sessions')
          setSessions((data as { sessions: Session[] }).sessions) // the route's own shape
        else quietly()
      },
      onLink: setLink,
      onRefused: () => {
        setLink('lost')
      },
    })
    return () => {
      clearInterval(timer)
      unfollow()
    }
  }, [locationId, login, look])
  return { api, link, sessions, mail, look }
}

async function readMail(api: Api, locationId: string): Promise<Mail> {
  const list = async (state?: Message['state']) => {
    const query = { locationId, limit: SHOWN, ...(state !== undefined && { state }) }
    return (await got(api.GET('/api/messages', { params: { query } }))).messages
  }
  const [today, failed, held, queued, sending, latest] = await Promise.all([
    got(api.GET('/api/ledger/{locationId}', { params: { path: { locationId } } })),
    list('failed'),
    list('held'),
    list('queued'),
    list('sending'),
    list(),
  ])
  // Those that go next stand first.
  return { today, needed: [...held, ...failed], waiting: [...queued, ...sending].reverse(), latest }
}

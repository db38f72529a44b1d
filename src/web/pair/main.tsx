/** The link for the client's own phone. The address is the right; nothing but this one number is shown. */
import { render } from 'preact'
import { useCallback, useEffect, useState } from 'preact/hooks'
import '../style.css'
import { failureOf } from '../api/failure.ts'
import { follow, type Link } from '../live/follow.ts'
import { Frame } from '../parts/frame.tsx'
import { Pairing, type PairingState } from '../parts/pairing.tsx'
import { firstWords, Speaking, useTabTitle, useWords } from '../words/spoken.tsx'

interface LinkState extends PairingState {
  readonly linkExpiresAt: string
}

const here = location.pathname.replace(/\/+$/, '')

async function restart(phoneNumber?: string): Promise<void> {
  const answer = await fetch(`${here}/restart`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(phoneNumber === undefined ? {} : { phoneNumber }),
  })
  if (!answer.ok) throw failureOf(answer.status, await answer.json().catch(() => undefined))
}

function PairPage() {
  const { say } = useWords()
  useTabTitle(say('pair.tab'))
  const [state, setState] = useState<LinkState>()
  const [link, setLink] = useState<Link>('opening')
  const [isExpired, setExpired] = useState(false)
  useEffect(
    () =>
      follow(`${here}/events`, {
        // The route sends this shape only.
        onEvent: (event, data) => {
          if (event === 'session') setState(data as LinkState)
        },
        onLink: setLink,
        onRefused: () => {
          setExpired(true)
        },
      }),
    [],
  )
  const isDone = state?.status === 'ready'
  const again = useCallback(restart, [])
  return (
    <Frame isNarrow link={isExpired || isDone ? 'live' : link}>
      {isExpired && !isDone ? (
        <Expired />
      ) : state === undefined ? (
        <h1>{say('pair.title.wait')}</h1>
      ) : (
        <Pairing state={state} restart={again} whenReady={<p>{say('pair.close')}</p>} />
      )}
    </Frame>
  )
}

function Expired() {
  const { say } = useWords()
  return (
    <div role="status">
      <h1>{say('pair.expired')}</h1>
      <p>{say('pair.expired.do')}</p>
    </div>
  )
}

const root = document.getElementById('page')
if (root !== null) {
  void firstWords().then((first) => {
    root.textContent = ''
    render(
      <Speaking first={first}>
        <PairPage />
      </Speaking>,
      root,
    )
  })
}

import { useCallback, useState } from 'preact/hooks'
import { type Api, got, type Session } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { Pairing } from '../parts/pairing.tsx'
import { useWords } from '../words/spoken.tsx'

export interface PairNumberProps {
  readonly api: Api
  /** Undefined for the moment in which the list does not have it yet. */
  readonly session: Session | undefined
  done(): void
}

export function PairNumber({ api, session, done }: PairNumberProps) {
  const { say } = useWords()
  const restart = useCallback(
    async (phoneNumber?: string) => {
      if (session !== undefined) await restartSession(api, session, phoneNumber)
    },
    [api, session],
  )
  if (session === undefined) return <p>{say('pair.wait')}</p>
  return (
    <>
      <Pairing
        heading="h3"
        state={session}
        restart={restart}
        whenReady={<Button act={async () => done()}>{say('done')}</Button>}
      />
      {session.status !== 'ready' && <PairingLink api={api} session={session} />}
    </>
  )
}

/** The phone may be far away: its owner gets a link. */
export function PairingLink({ api, session }: { api: Api; session: Session }) {
  const { say } = useWords()
  const [url, setUrl] = useState<string>()
  const [isCopied, setCopied] = useState(false)
  // A frame may not be allowed to; the link stands there to be selected in any case.
  const copy = async (text: string): Promise<void> => {
    await navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    )
  }
  const make = async (): Promise<void> => {
    const path = { locationId: session.locationId, id: session.id }
    const made = await got(
      api.POST('/ghl/location/{locationId}/session/{id}/pairing-link', { params: { path } }),
    )
    setUrl(made.url)
    await copy(made.url)
  }
  return (
    <div class="aside">
      <Button kind="quiet" act={make}>
        {say('link.make')}
      </Button>
      {url !== undefined && (
        <div role="status">
          <p class="muted small">{say(isCopied ? 'link.copied' : 'link.copy')}</p>
          <div class="with-button">
            <input
              readOnly
              aria-label={say('link.make')}
              value={url}
              onFocus={({ currentTarget }) => currentTarget.select()}
            />
            <Button kind="plain" act={() => copy(url)}>
              {say('console.copy')}
            </Button>
          </div>
        </div>
      )}
    </div>
  )
}

export async function restartSession(api: Api, session: Session, phoneNumber?: string): Promise<void> {
  const path = { locationId: session.locationId, id: session.id }
  const body = phoneNumber === undefined ? {} : { phoneNumber }
  await got(api.POST('/ghl/location/{locationId}/session/{id}/restart', { params: { path }, body }))
}

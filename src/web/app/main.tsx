/** The location page: as GHL shows it in its frame, or on its own for the operator, who shows the server's key. */
import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import '../style.css'
import { Failure } from '../api/failure.ts'
import { LocationView } from '../location/location-view.tsx'
import { Button } from '../parts/button.tsx'
import { Frame } from '../parts/frame.tsx'
import { failureWords } from '../parts/problem-words.ts'
import { firstWords, Sentence, Speaking, useTabTitle, useWords } from '../words/spoken.tsx'
import { type GhlVisit, NotInGhl, visitFromGhl } from './ghl-login.ts'
import { StandAlone } from './stand-alone.tsx'

function AppPage() {
  const { say } = useWords()
  useTabTitle(say('location.title'))
  const [visit, setVisit] = useState<GhlVisit>()
  const [failure, setFailure] = useState<unknown>()
  const enter = async (): Promise<void> => {
    setFailure(undefined)
    await visitFromGhl().then(setVisit, setFailure)
  }
  useEffect(() => {
    void enter()
  }, [])
  if (visit !== undefined) return <LocationView {...visit} isAdmin={visit.role === 'admin'} />
  if (failure instanceof NotInGhl)
    return (
      <StandAlone>
        <Outside again={enter} />
      </StandAlone>
    )
  return (
    <Frame isNarrow>
      {failure === undefined ? (
        <h1>{say('pair.title.wait')}</h1>
      ) : (
        <Refused failure={failure} again={enter} />
      )}
    </Frame>
  )
}

function Outside({ again }: { again(): Promise<void> }) {
  const { say } = useWords()
  return (
    <div role="status">
      <h1>{say('outside.title')}</h1>
      <p>
        <Sentence text={say('outside.do')} />
      </p>
      <p class="muted">{say('outside.operator')}</p>
      <Button kind="plain" act={again}>
        {say('again')}
      </Button>
    </div>
  )
}

function Refused({ failure, again }: { failure: unknown; again(): Promise<void> }) {
  const { say, find } = useWords()
  return (
    <div role="status">
      <h1>{say('refused.title')}</h1>
      <p class="problem">{failureWords(failure, find)}</p>
      {failure instanceof Failure && failure.code === 'SSO_REFUSED' && <p>{say('refused.do')}</p>}
      <Button kind="plain" act={again}>
        {say('again')}
      </Button>
    </div>
  )
}

const root = document.getElementById('page')
if (root !== null) {
  void firstWords().then((first) => {
    root.textContent = ''
    render(
      <Speaking first={first}>
        <AppPage />
      </Speaking>,
      root,
    )
  })
}

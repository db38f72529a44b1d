/** The operator's console: everything that the server works for, on one page. */
import { render } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import '../style.css'
import './console.css'
import { Dialog } from '../parts/dialog.tsx'
import { Frame } from '../parts/frame.tsx'
import { createOperatorLogin, type OperatorLogin } from '../parts/operator-login.ts'
import { SignIn } from '../parts/sign-in.tsx'
import { firstWords, Speaking, useTabTitle, useWords } from '../words/spoken.tsx'
import { Shell } from './shell.tsx'

/** `again`: the hour is over, and what was on the page stays there. */
type Door = 'first' | 'in' | 'again'

function ConsolePage() {
  const { say } = useWords()
  const [door, setDoor] = useState<Door>('first')
  const login: OperatorLogin = useMemo(
    () => createOperatorLogin((isNeeded) => setDoor(isNeeded ? 'again' : 'in')),
    [],
  )
  if (door === 'first') return <FirstDoor enter={login.enter} />
  return (
    <>
      <Shell login={login} />
      {door === 'again' && (
        <Dialog title={say('console.again')} close={() => location.reload()}>
          <SignIn enter={login.enter} />
        </Dialog>
      )}
    </>
  )
}

function FirstDoor({ enter }: Pick<OperatorLogin, 'enter'>) {
  const { say } = useWords()
  useTabTitle(say('console.title'))
  return (
    <Frame isNarrow>
      <h1>{say('console.title')}</h1>
      <SignIn enter={enter} />
    </Frame>
  )
}

const root = document.getElementById('page')
if (root !== null) {
  void firstWords().then((first) => {
    root.textContent = ''
    render(
      <Speaking first={first}>
        <ConsolePage />
      </Speaking>,
      root,
    )
  })
}

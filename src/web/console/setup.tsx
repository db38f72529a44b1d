/** Whether everything is set up, piece by piece: each is really tried, and says what is wrong and where to cure it. */
import type { ComponentChildren } from 'preact'
import { got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { problemWords } from '../parts/problem-words.ts'
import { useWords } from '../words/spoken.tsx'
import { Copy, Shown, type Tone } from './parts.tsx'
import type { CheckStep, Setup as Facts } from './shapes.ts'
import { useNamedClock } from './times.tsx'
import { useConsole, useLoaded } from './use-console.ts'

/** `wait`: nothing was seen of it yet; `look`: whether it is right depends. */
type Verdict = 'ok' | 'bad' | 'wait' | 'look'
const TONES: Readonly<Record<Verdict, Tone>> = { ok: 'good', bad: 'bad', wait: 'busy', look: 'busy' }
/** What a piece needs of the environment, by its name there. */
const NEEDS: Readonly<Record<string, RegExp>> = { credentials: /CLIENT/, provider: /PROVIDER/, sso: /SHARED/ }

export function Setup() {
  const { say } = useWords()
  const { api } = useConsole()
  const tried = useLoaded(async () => {
    const [facts, status, test] = await Promise.all([
      got(api.GET('/api/console/setup')),
      got(api.GET('/api/integrations/ghl/status')),
      got(api.GET('/api/integrations/ghl/test-integration')),
    ])
    return { facts, missing: status.missing, steps: test.steps }
  }, [api])
  return (
    <section aria-labelledby="setup">
      <div class="section-head">
        <h2 id="setup">{say('console.place.setup')}</h2>
        <Button kind="plain" act={tried.reload}>
          {say('setup.again')}
        </Button>
      </div>
      <Shown of={tried} isEmpty={() => false} empty="">
        {({ facts, missing, steps }) => (
          <>
            <ul class="rows checklist">
              <PublicUrl facts={facts} />
              <Store facts={facts} steps={steps} />
              {steps
                .filter(({ name }) => name !== 'configuration' && name !== 'store')
                .map((step) => (
                  <Step key={step.name} step={step} missing={missing} />
                ))}
            </ul>
            <Addresses facts={facts} />
          </>
        )}
      </Shown>
    </section>
  )
}

function Item({
  name,
  verdict,
  ms,
  children,
}: {
  name: string
  verdict: Verdict
  ms?: number
  children?: ComponentChildren
}) {
  const { say } = useWords()
  return (
    <li data-check={verdict}>
      <div class="row-head">
        <strong>{name}</strong>
        {ms !== undefined && <span class="muted small">{Math.round(ms)} ms</span>}
        <span class={`state ${TONES[verdict]}`}>{say(`check.is.${verdict}`)}</span>
      </div>
      {children}
    </li>
  )
}

/** The server cannot see itself from outside; this browser can. */
function PublicUrl({ facts: { publicUrl } }: { facts: Facts }) {
  const { say } = useWords()
  const { protocol, hostname, origin } = new URL(publicUrl)
  const isHere = origin === location.origin
  const isOpen = protocol === 'https:' && hostname !== 'localhost' && !hostname.startsWith('127.')
  return (
    <Item name={say('check.publicUrl')} verdict={isHere && isOpen ? 'ok' : isHere ? 'look' : 'bad'}>
      <p class="muted small">{publicUrl}</p>
      {!isHere && <p class="problem">{say('check.publicUrl.elsewhere', { here: location.origin })}</p>}
      {isHere && !isOpen && <p class="muted">{say('check.publicUrl.local')}</p>}
    </Item>
  )
}

function Store({ facts: { store }, steps }: { facts: Facts; steps: readonly CheckStep[] }) {
  const { say, find } = useWords()
  const step = steps.find(({ name }) => name === 'store')
  const isWell = step === undefined || step.ok
  return (
    <Item
      name={say('check.store')}
      verdict={!isWell ? 'bad' : store === 'embedded' ? 'look' : 'ok'}
      {...(step !== undefined && { ms: step.ms })}
    >
      <p class="muted">{say(`check.store.${store}`)}</p>
      {step?.ok === false && <p class="problem">{stepWords(step, find)}</p>}
    </Item>
  )
}

/** Tried just now, or judged by what was last seen of it. */
function Step({ step, missing }: { step: CheckStep; missing: readonly string[] }) {
  const { say, find } = useWords()
  const clock = useNamedClock()
  const { name, state, ms, at, code } = step
  const time = at !== null && state !== 'wait' && clock(at)
  return (
    <Item name={find(`check.${name}`) ?? name} verdict={state} {...(ms > 0 && { ms })}>
      {state === 'bad' && <p class="problem">{wrong()}</p>}
      {state === 'wait' && <p class="muted small">{find(`check.${name}.wait`)}</p>}
      {time !== false && (
        <p class="muted small">{say(state === 'ok' ? 'check.seen' : 'check.refused', { time })}</p>
      )}
    </Item>
  )

  function wrong(): string {
    if (code === 'CONFIG_MISSING')
      return say('check.missing', { names: missing.filter((each) => NEEDS[name]?.test(each)).join(', ') })
    if (code === 'FOREIGN_PROVIDER') return say('check.foreign')
    return find(`check.${name}.bad`) ?? stepWords(step, find)
  }
}

const stepWords = (
  { code, message, action }: CheckStep,
  find: ReturnType<typeof useWords>['find'],
): string => {
  const words = problemWords({ code: code ?? '', message: message ?? '', action }, find)
  return `${words.message} ${words.action}`
}

/** What is to be pasted into the app's settings at GHL. */
function Addresses({ facts }: { facts: Facts }) {
  const { say } = useWords()
  const rows = [
    [say('setup.redirect'), facts.redirectUri],
    [say('setup.events'), facts.eventsUrl],
    [say('setup.delivery'), facts.deliveryUrl],
    [say('setup.page'), facts.pageUrl],
  ] as const
  return (
    <div class="card addresses">
      <h3>{say('setup.addresses')}</h3>
      {rows.map(([name, value]) => (
        <div key={name} class="field with-button">
          <label>
            {name}
            <input readOnly value={value} onFocus={({ currentTarget }) => currentTarget.select()} />
          </label>
          <Copy text={value} />
        </div>
      ))}
    </div>
  )
}

/** Whether everything is set up, piece by piece: each is really tried, and says what is wrong and where to cure it. */
import type { ComponentChildren } from 'preact'
import { got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { clockOf } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'
import { Copy, Shown, type Tone } from './parts.tsx'
import type { CheckStep, Setup as Facts } from './shapes.ts'
import { useConsole, useLoaded } from './use-console.ts'

/** `set`: it is there, and other steps show whether it is right; `wait`: nothing has come yet, or it depends. */
type Verdict = 'ok' | 'set' | 'bad' | 'wait'
const TONES: Readonly<Record<Verdict, Tone>> = { ok: 'good', set: 'good', bad: 'bad', wait: 'busy' }

export function Setup() {
  const { say, find } = useWords()
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
              <Credentials missing={missing} />
              {steps
                .filter(({ name }) => name !== 'configuration' && name !== 'store')
                .map((step) => (
                  <Item
                    key={step.name}
                    name={find(`check.${step.name}`) ?? step.name}
                    verdict={step.ok ? 'ok' : 'bad'}
                    ms={step.ms}
                  >
                    {!step.ok && (
                      <p class="problem">
                        {step.message} {step.action}
                      </p>
                    )}
                  </Item>
                ))}
              <SsoSecret missing={missing} />
              <Webhook facts={facts} />
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
    <Item name={say('check.publicUrl')} verdict={isHere && isOpen ? 'ok' : isHere ? 'wait' : 'bad'}>
      <p class="muted small">{publicUrl}</p>
      {!isHere && <p class="problem">{say('check.publicUrl.elsewhere', { here: location.origin })}</p>}
      {isHere && !isOpen && <p class="muted">{say('check.publicUrl.local')}</p>}
    </Item>
  )
}

function Store({ facts: { store }, steps }: { facts: Facts; steps: readonly CheckStep[] }) {
  const { say } = useWords()
  const step = steps.find(({ name }) => name === 'store')
  const isWell = step === undefined || step.ok
  return (
    <Item
      name={say('check.store')}
      verdict={!isWell ? 'bad' : store === 'embedded' ? 'wait' : 'ok'}
      {...(step !== undefined && { ms: step.ms })}
    >
      <p class="muted">{say(`check.store.${store}`)}</p>
      {step?.ok === false && (
        <p class="problem">
          {step.message} {step.action}
        </p>
      )}
    </Item>
  )
}

function Credentials({ missing }: { missing: readonly string[] }) {
  const { say } = useWords()
  const lacking = missing.filter((name) => name.startsWith('GHL_CLIENT'))
  return (
    <Item name={say('check.credentials')} verdict={lacking.length === 0 ? 'set' : 'bad'}>
      {lacking.length > 0 && (
        <p class="problem">{say('check.credentials.do', { names: lacking.join(', ') })}</p>
      )}
    </Item>
  )
}

/** The only one of the two secrets that has no call to try it with: GHL's pages bring the proof. */
function SsoSecret({ missing }: { missing: readonly string[] }) {
  const { say } = useWords()
  const isThere = !missing.some((name) => name.endsWith('SHARED_SECRET'))
  return (
    <Item name={say('check.sso')} verdict={isThere ? 'set' : 'bad'}>
      <p class={isThere ? 'muted small' : 'problem'}>{say(isThere ? 'check.sso.try' : 'check.sso.do')}</p>
    </Item>
  )
}

function Webhook({ facts: { lastEventAt, eventsUrl } }: { facts: Facts }) {
  const { say, language } = useWords()
  return (
    <Item name={say('check.webhook')} verdict={lastEventAt === null ? 'wait' : 'ok'}>
      <p class="muted">
        {lastEventAt === null
          ? say('check.webhook.none', { url: eventsUrl })
          : say('check.webhook.last', { time: clockOf(lastEventAt, language) })}
      </p>
    </Item>
  )
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

/** What takes its time in the console: a visit that is longer than its token, and work that is longer than its answer. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { waitFor } from '../support/wait-for.ts'

const API_KEY = 'operator-key-of-the-long-visit'
const DESK = { width: 1_280, height: 900 }
const CLOCK = new URL('../support/movable-clock.ts', import.meta.url).href
/** After so many a run says how far it is. */
const STEP = 20
const MANY = 34
/** Four at a time of those behind the first step: longer in all than POST /api/ghl/tokens/refresh waits before it answers. */
const SLOW_MS = 6_000

describe('a long visit to the console', () => {
  let stage: Stage
  let browser: OpenBrowser
  let dental: string
  let other: string

  beforeAll(async () => {
    stage = await Stage.set({ env: { API_KEY, NODE_OPTIONS: `--import=${CLOCK}` } })
    dental = stage.ghl.addLocation({ name: 'Dental Care' }).id
    other = stage.ghl.addLocation({ name: 'Other Care' }).id
    await stage.bridge.start()
    await stage.install(dental)
    await stage.install(other)
    await stage.createSession(dental)
    browser = await openBrowser()
  }, 60_000)
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  const show = async (page: Page, key: string) => {
    await page.getByLabel('Operator’s key').fill(key)
    await page.getByRole('button', { name: 'Open the console' }).click()
  }
  async function open(place: string) {
    const { page } = await browser.page(DESK)
    const refusals: string[] = []
    page.on('response', (answer) => {
      const isEntry = answer.url().endsWith('/api/console/session')
      if (answer.status() === 401 && !isEntry) refusals.push(new URL(answer.url()).pathname)
    })
    await page.goto(`${stage.bridge.url}/console#/${place}`)
    await show(page, API_KEY)
    await page.getByRole('navigation', { name: 'Parts of the console' }).waitFor()
    return { page, refusals }
  }
  const letTheHourPass = () => process.kill(stage.bridge.pid, 'SIGWINCH')
  const again = (page: Page) => page.getByRole('dialog', { name: 'The hour is over: show the key again' })

  it('does what was asked for when the hour was over, once the key is shown again', async () => {
    const { page, refusals } = await open(`locations/${dental}`)
    const card = page.locator('.number', { hasText: 'New number' })
    await card.getByText('More').click()
    await card.getByLabel('Name').fill('Front desk')
    letTheHourPass()
    expect(await again(page).count()).toBe(0)
    await card.getByRole('button', { name: 'Save' }).click()
    await again(page).waitFor()
    expect(refusals.some((path) => path.includes(`/${dental}/session/`))).toBe(true)
    await page.locator('input[type=password]:focus').waitFor()
    await browser.keep(page, 'console-hour')
    expect(await barriers(page)).toEqual([])
    await show(page, 'a-wrong-key')
    await page.getByText('This is not the operator’s key.').waitFor()
    await again(page).waitFor()
    await show(page, API_KEY)
    await again(page).waitFor({ state: 'detached' })
    await page.getByRole('heading', { name: 'Front desk' }).waitFor()
    expect(new URL(page.url()).hash).toBe(`#/locations/${dental}`)
    // Not asked a second time: what was refused together waited together.
    expect(await again(page).count()).toBe(0)
  }, 60_000)

  it('notices by itself that the hour is over, and keeps what was looked for and chosen', async () => {
    const { page } = await open('locations')
    await page.getByRole('searchbox').fill('other')
    await page.getByText('1 location', { exact: true }).waitFor()
    await page.getByRole('checkbox', { name: 'Choose Other Care' }).check()
    letTheHourPass()
    // The look that is made without being asked for.
    await again(page).waitFor({ timeout: 25_000 })
    await stage.bridge.operator('POST', `/ghl/location/${other}/session`, {})
    await show(page, API_KEY)
    await again(page).waitFor({ state: 'detached' })
    await page.locator(`[data-location="${other}"] .numbers-of`).getByText('New number').waitFor()
    expect(await page.getByRole('searchbox').inputValue()).toBe('other')
    expect(await page.getByRole('checkbox', { name: 'Choose Other Care' }).isChecked()).toBe(true)
    expect(await page.locator('[data-location]').count()).toBe(1)
    await page.getByText('1 chosen').waitFor()
  }, 60_000)

  it('follows a refresh of all tokens that outlasts its answer, to its end', async () => {
    for (let n = 2; n < MANY; n++) await stage.install(stage.ghl.addLocation({ name: `Branch ${n}` }).id)
    const { page } = await open('locations')
    const before = stage.ghl.calls({ route: 'POST /oauth/token' }).length
    stage.ghl.faults.add({
      ...{ route: 'POST /oauth/token', skip: STEP, times: MANY - STEP },
      effect: { kind: 'delay', ms: SLOW_MS },
    })
    await page.getByRole('button', { name: 'Refresh tokens' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Also those that are still good').check()
    await dialog.getByText(`${MANY} installations would get new tokens.`).waitFor()
    const answers: number[] = []
    page.on('response', (answer) => {
      if (answer.url().endsWith('/api/ghl/tokens/refresh')) answers.push(answer.status())
    })
    await dialog.getByRole('button', { name: 'Refresh them now' }).click()
    const run = dialog.locator('[data-sync]')
    await run.getByText(`${STEP} of ${MANY}`).waitFor()
    expect(answers).toEqual([])
    await waitFor('the answer', () => answers.length > 0, 30_000)
    expect([answers, await run.getAttribute('data-sync')]).toEqual([[202], 'running'])
    await browser.keep(page, 'console-refresh-202')
    await dialog.locator('[data-sync=done]').getByText(`${MANY} of ${MANY}`).waitFor({ timeout: 30_000 })
    expect(await dialog.getByRole('alert').count()).toBe(0)
    expect(stage.ghl.calls({ route: 'POST /oauth/token' }).length - before).toBe(MANY)
    await page.getByRole('button', { name: 'Close' }).click()
    await expect.poll(() => page.locator('[data-health=healthy]').count()).toBe(MANY)
  }, 90_000)
})

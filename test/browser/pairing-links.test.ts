/** Pairing links for many numbers at once: for whom, how long they are good, and that none is lost by closing the dialog. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, type OpenBrowser, openBrowser } from '../support/browser.ts'

const OWNER = '15550009999'
const DESK = { width: 1_280, height: 900 }
const MINUTE_MS = 60_000

interface Listed {
  readonly locations: readonly { readonly name: string; readonly sessions: readonly object[] }[]
}

describe('pairing links for many', () => {
  let stage: Stage
  let browser: OpenBrowser
  let bare: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    const dental = stage.ghl.addLocation({ name: 'Dental Care' }).id
    bare = stage.ghl.addLocation({ name: 'Bare' }).id
    await stage.bridge.start()
    await stage.install(dental)
    await stage.install(bare)
    const sessionId = await stage.pair(dental, OWNER)
    stage.whatsapp.unlink(OWNER)
    await stage.sessionUntil(dental, sessionId, ({ status }) => status === 'logged_out')
    browser = await openBrowser()
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  async function open(prepare: (page: Page) => Promise<unknown>) {
    const { page } = await browser.page(DESK)
    await prepare(page)
    await page.goto(`${stage.bridge.url}/console`)
    await page.getByLabel('Operator’s key').fill(stage.bridge.apiKey)
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.getByRole('button', { name: 'Choose the 2 shown' }).click()
    await page.getByRole('button', { name: 'Pairing links' }).click()
    return { page, dialog: page.getByRole('dialog', { name: 'Pairing links' }) }
  }

  it('are offered for numbers that a scan connects, and for no others', async () => {
    const uncured = [
      ['initializing', null],
      ['connecting', null],
      ['disconnected', 'RECONNECTING'],
      ['restricted', 'TEMPORARILY_BANNED'],
      ['outdated', 'OUTDATED'],
      ['banned', 'BANNED'],
      ['replaced', 'REPLACED'],
    ] as const
    const { dialog } = await open((page) =>
      page.route('**/api/ghl/locations?**', async (route) => {
        const answer = await route.fetch()
        const { locations, ...rest } = (await answer.json()) as Listed // our own contract
        const json = {
          ...rest,
          locations: locations.map((location) => ({
            ...location,
            sessions: location.sessions.flatMap((session) => [
              session,
              ...uncured.map(([status, code]) => ({
                ...session,
                id: status,
                status,
                problem:
                  code === null ? null : { code, message: 'x', action: 'x', until: null, scannedPhone: null },
              })),
            ]),
          })),
        }
        await route.fulfill({ response: answer, json })
      }),
    )
    // The unlinked one, and the first of the location that has none.
    await dialog.getByText('2 links, one for each number that a scan connects.').waitFor()
  })

  it('say until when they are good, are renewed when they ended, and are not lost by closing', async () => {
    // A clock that is two hours fast ends no link.
    const { page, dialog } = await open((fresh) =>
      fresh.clock.install({ time: Date.now() + 120 * MINUTE_MS }),
    )
    await dialog.getByRole('button', { name: 'Make the links' }).click()
    await dialog.getByText('2 links. Copy them').waitFor()
    const linkOf = (name: string) => dialog.getByLabel(name, { exact: true }).inputValue()
    const before = { dental: await linkOf('Dental Care'), bare: await linkOf('Bare') }
    const [until] = await dialog.getByText('Good until').allTextContents()
    const readers = await page.evaluate<string>(
      `new Date(Date.now() + 30 * 60_000).toLocaleTimeString('en-US', { hour: 'numeric' })`,
    )
    expect(until).toContain(readers.replace(/\D+$/, ''))
    expect(await barriers(page)).toEqual([])
    await browser.keep(page, 'pairing-links')

    const question = dialog.getByRole('alert')
    await dialog.getByRole('button', { name: 'Close', exact: true }).click()
    await question.getByText('2 links were not copied yet.').waitFor()
    await dialog.locator('dd').first().getByRole('button').click()
    await question.getByText('1 link was not copied yet.').waitFor()
    expect(await barriers(page)).toEqual([])
    await browser.keep(page, 'pairing-links-unsent')

    await page.clock.fastForward(29 * MINUTE_MS)
    expect(await dialog.getByText('Ended: it opens nothing any more').count()).toBe(0)
    await page.clock.fastForward(2 * MINUTE_MS)
    await expect.poll(() => dialog.getByText('Ended: it opens nothing any more').count()).toBe(2)
    // What has ended can be lost.
    await question.waitFor({ state: 'detached' })
    await dialog.getByRole('button', { name: 'Renew the 2 that ended' }).click()
    await dialog.getByText('2 links. Copy them').waitFor()
    const after = { dental: await linkOf('Dental Care'), bare: await linkOf('Bare') }
    expect([after.dental === before.dental, after.bare === before.bare]).toEqual([false, false])
    for (const link of Object.values(after)) expect((await fetch(link)).status).toBe(200)
    const listed = await stage.bridge.operator('GET', `/ghl/location/${bare}/session`)
    expect(((await listed.json()) as { sessions: unknown[] }).sessions).toHaveLength(1) // our own contract

    await question.getByText('2 links were not copied yet.').waitFor()
    await page.keyboard.press('Escape')
    expect(await dialog.isVisible()).toBe(true)
    await dialog.getByRole('button', { name: 'Copy' }).last().click()
    await question.waitFor({ state: 'detached' })
    await dialog.getByRole('button', { name: 'Close', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
  }, 60_000)

  it('are left behind by whoever wants to', async () => {
    const { page, dialog } = await open(async () => {})
    await dialog.getByRole('button', { name: 'Make the links' }).click()
    await dialog.getByText('2 links. Copy them').waitFor()
    await page.keyboard.press('Escape')
    await dialog.getByRole('button', { name: 'Close it all the same' }).click()
    await dialog.waitFor({ state: 'detached' })
  })
})

/** A real Chromium from npm, without anything installed by hand. Screenshots land in test-artifacts/, outside git. */
import { mkdir } from 'node:fs/promises'
import chromium from '@sparticuz/chromium'
import { type Page, chromium as playwright } from 'playwright-core'

export interface OpenBrowser {
  page(viewport: { width: number; height: number }): Promise<Page>
  /** Keeps a picture of the page for people to look at. */
  keep(page: Page, name: string): Promise<void>
  close(): Promise<void>
}

export async function openBrowser(): Promise<OpenBrowser> {
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [
      ...chromium.args,
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    headless: true,
  })
  return {
    page: async (viewport) => await (await browser.newContext({ viewport })).newPage(),
    keep: async (page, name) => {
      await mkdir('test-artifacts', { recursive: true })
      await page.screenshot({ path: `test-artifacts/${name}.png` })
    },
    close: () => browser.close(),
  }
}

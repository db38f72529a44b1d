/** What is done for many locations at once; each says first what it would do. */
import { useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useWords } from '../words/spoken.tsx'
import { PairingLinks } from './pairing-links.tsx'
import { RefreshAll, RefreshChosen } from './refresh-tokens.tsx'
import type { Location } from './shapes.ts'
import { SyncProgress } from './syncs.tsx'
import { useConsole } from './use-console.ts'

export interface BulkProps {
  /** Empty: all. */
  readonly chosen: readonly Location[]
  done(): Promise<void>
  clear(): void
}

export function Bulk({ chosen, done, clear }: BulkProps) {
  const { say, count } = useWords()
  const { api } = useConsole()
  const [open, setOpen] = useState<'refresh' | 'links' | 'sync'>()
  const close = () => {
    setOpen(undefined)
    void done()
  }
  const sync = async (): Promise<void> => {
    await got(api.POST('/admin/ghl/sync-all-subaccounts'))
    setOpen('sync')
  }
  const install = async (): Promise<void> => {
    location.assign((await got(api.GET('/api/integrations/ghl/auth-url'))).url)
  }
  return (
    <div class="bulk">
      <div class="actions">
        {chosen.length === 0 ? (
          <>
            <Button act={sync}>{say('bulk.sync')}</Button>
            <Button kind="plain" act={async () => setOpen('refresh')}>
              {say('bulk.refresh')}
            </Button>
            <Button kind="plain" act={install}>
              {say('bulk.install')}
            </Button>
          </>
        ) : (
          <>
            <strong role="status">{count('bulk.chosen', chosen.length)}</strong>
            <Button act={async () => setOpen('links')}>{say('bulk.links')}</Button>
            <Button kind="plain" act={async () => setOpen('refresh')}>
              {say('bulk.refresh')}
            </Button>
            <Button kind="quiet" act={async () => clear()}>
              {say('bulk.clear')}
            </Button>
          </>
        )}
      </div>
      {open === 'refresh' && (
        <Dialog title={say('bulk.refresh')} close={close}>
          {chosen.length === 0 ? <RefreshAll /> : <RefreshChosen locations={chosen} />}
        </Dialog>
      )}
      {open === 'links' && (
        <Dialog title={say('bulk.links')} close={close}>
          <PairingLinks locations={chosen} />
        </Dialog>
      )}
      {open === 'sync' && (
        <Dialog title={say('bulk.sync')} close={close}>
          <SyncProgress />
        </Dialog>
      )}
    </div>
  )
}

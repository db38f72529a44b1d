/** What is done for many locations at once; each says first what it would do. */
import { useState } from 'preact/hooks'
import { got } from '../api/client.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useWords } from '../words/spoken.tsx'
import { useAgencies } from './agencies.tsx'
import { ChosenLocations } from './chosen.tsx'
import { PairingLinks } from './pairing-links.tsx'
import { RefreshAll, RefreshChosen } from './refresh-tokens.tsx'
import { SyncProgress } from './syncs.tsx'
import { useConsole } from './use-console.ts'

export function Bulk({ done }: { done(): Promise<void> }) {
  const { say, count } = useWords()
  const { api, chosen, clear } = useConsole()
  const [open, setOpen] = useState<'refresh' | 'links' | 'sync'>()
  const [unsent, setUnsent] = useState(0)
  const close = () => {
    setOpen(undefined)
    setUnsent(0)
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
    <div class={chosen.size === 0 ? 'bulk' : 'bulk chosen'}>
      <div class="actions">
        {chosen.size === 0 ? (
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
            <strong role="status">{count('bulk.chosen', chosen.size)}</strong>
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
          {chosen.size === 0 ? (
            <RefreshAll />
          ) : (
            <ChosenLocations>{(locations) => <RefreshChosen locations={locations} />}</ChosenLocations>
          )}
        </Dialog>
      )}
      {open === 'links' && (
        <Dialog
          title={say('bulk.links')}
          close={close}
          loses={unsent > 0 ? count('links.unsent', unsent) : undefined}
        >
          <ChosenLocations>
            {(locations) => <PairingLinks locations={locations} unsent={setUnsent} />}
          </ChosenLocations>
        </Dialog>
      )}
      {open === 'sync' && (
        <Dialog title={say('bulk.sync')} close={close}>
          <Skipped />
          <SyncProgress kind="installations" none={say('syncs.noAgency')} />
        </Dialog>
      )}
    </div>
  )
}

/** Agencies that have the app and could not be asked. */
function Skipped() {
  const { say, count } = useWords()
  const { data } = useAgencies({ health: 'needs_reconnect' })
  if (data === undefined || data.total === 0) return null
  const { installations, total } = data
  const names = installations.map(({ name, companyId }) => name ?? companyId).join(', ')
  const more = total - installations.length
  return (
    <p class="problem">
      {say('syncs.skipped', { names })} {more > 0 && count('syncs.skippedMore', more)}
    </p>
  )
}

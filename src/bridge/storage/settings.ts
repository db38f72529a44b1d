/** What a location wants. Its promises: messages.ts. */
import type { LocationId } from '../../core/ids.ts'
import type { LocationSettings } from '../../core/settings.ts'

export interface SettingsStore {
  /** What holds for the location now. A change made on any node is seen within a second. */
  read(locationId: LocationId): Promise<LocationSettings>
  /**
   * Changes what the patch names and answers what holds then. Give only values that {@link LocationSettings} allows.
   *
   * @throws {RequestError} `SESSION_UNKNOWN` when the number to pin is not one of the location's: nothing is changed.
   */
  write(locationId: LocationId, patch: Partial<LocationSettings>): Promise<LocationSettings>
}

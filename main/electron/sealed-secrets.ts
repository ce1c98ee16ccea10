import { safeStorage } from 'electron'
import {
  createFileStore,
  createSealedStore,
  secretsFolder,
  type SecretStore,
} from '../../platform/journal/secret-store.ts'

/** The key ring of the operating system where there is one; Chromium's fallback on Linux is no secret from anybody. */
export function chooseSecretStore(home: string): SecretStore {
  const folder = secretsFolder(home)
  if (!hasKeyRing()) return createFileStore(folder)
  return createSealedStore(folder, {
    seal: (text) => safeStorage.encryptString(text),
    open: (sealed) => safeStorage.decryptString(Buffer.from(sealed)),
  })
}

function hasKeyRing(): boolean {
  if (!safeStorage.isEncryptionAvailable()) return false
  return process.platform !== 'linux' || safeStorage.getSelectedStorageBackend() !== 'basic_text'
}

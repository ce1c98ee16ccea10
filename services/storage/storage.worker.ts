import { serveDomain } from '../../platform/service/serve-domain.ts'
import { storageService } from './service.ts'

serveDomain(storageService)

import { serveDomain } from '../../platform/service/serve-domain.ts'
import { barcodesService } from './service.ts'

serveDomain(barcodesService)

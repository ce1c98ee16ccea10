import { useParams } from '@tanstack/react-router'
import { ShipmentScreen } from './shipment-screen.tsx'
import { WithHub } from './without-hub.tsx'

/** The route's part of a shipment's page: the id stands in the address. */
export function ShipmentRoute() {
  const { id } = useParams({ from: '/shipments/$id' })
  return (
    <WithHub>
      <ShipmentScreen key={id} id={id} />
    </WithHub>
  )
}

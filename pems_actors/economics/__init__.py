"""Money: the only place where anything is computed in a currency.

`tariff` turns spot prices into what a kWh costs and earns, `wear` prices the ageing of battery
and relays, `costs` settles what was metered or planned. Plan, twin, validator and reports all ask
here, so that their figures can be compared.
"""

from hyperlambda.commands import main

main()
